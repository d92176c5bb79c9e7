"""Memory of the activations that training keeps: plain network, supernet with folded masks, with explicit masks.

    python scripts/benchmark_memory.py --base_widths "[16,24,32,40,48]" --device meta

The geometry is that of Task04 (4 stages, patch 40 x 56 x 40). The device "meta" counts without computing, whatever
the size; "cpu" and "cuda" count the tensors of a real pass, and "cuda" adds the peak of forward and backward.
"""

from __future__ import annotations

from collections.abc import Sequence

import fire
import torch
from benchmarks.timing import KeptBytes, peak_memory
from benchmarks.variants import VARIANTS as NETWORKS
from torch import nn

from adw_components.search_space import SearchSpace

MEGABYTE = 1e6
# Row of the table -> its network in `benchmarks/variants.py`.
VARIANTS = {"plain": "plain", "folded": "supernet", "explicit": "explicit_masks"}


def build(variant: str, search_space: SearchSpace) -> nn.Module:
    """The network of one row of the table, all of the same largest size."""
    return NETWORKS[VARIANTS[variant]](search_space).train()


def saved_activations(network: nn.Module, x: torch.Tensor) -> int:
    """Bytes that one training forward keeps for its backward pass, each storage once, without the weights."""
    kept = KeptBytes(network.parameters())
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, KeptBytes.unpack):
        network(x)
    return kept.peak


def peak_on_gpu(network: nn.Module, x: torch.Tensor) -> int:
    """Bytes that the GPU's allocator held at most during a forward and a backward pass, beyond those before."""
    return peak_memory(lambda: sum(level.mean() for level in network(x)).backward(), device=x.device)


def measure(
    search_space: SearchSpace, *, patch_size: Sequence[int], batch_size: int = 1, device: str = "cpu"
) -> dict[str, dict[str, int]]:
    """Variant -> name of a figure -> bytes."""
    figures: dict[str, dict[str, int]] = {}
    for variant in VARIANTS:
        torch.manual_seed(0)
        with torch.device(device):
            network, x = build(variant, search_space), torch.randn(batch_size, 1, *patch_size)
        figures[variant] = {"activations": saved_activations(network, x)}
        if device.startswith("cuda"):
            figures[variant]["peak"] = peak_on_gpu(network, x)
    return figures


def table(figures: dict[str, dict[str, int]]) -> str:
    """The figures in MB, each with its ratio to the plain network."""
    names = list(figures["plain"])
    lines = [f"{'':10}" + "".join(f"{name + ' MB':>16}{'ratio':>8}" for name in names)]
    for variant, values in figures.items():
        cells = [f"{values[n] / MEGABYTE:16.1f}{values[n] / figures['plain'][n]:8.3f}" for n in names]
        lines.append(f"{variant:10}" + "".join(cells))
    return "\n".join(lines)


def main(
    base_widths: Sequence[int] = (4, 6, 8, 10, 12),
    patch_size: Sequence[int] = (40, 56, 40),
    batch_size: int = 1,
    device: str = "cpu",
) -> str:
    """Measure at Task04's geometry and give the table."""
    search_space = SearchSpace(
        strides=((1, 1, 1), *((2, 2, 2),) * 3), kernel_sizes=((3, 3, 3),) * 4, base_widths=tuple(base_widths)
    )
    return table(measure(search_space, patch_size=patch_size, batch_size=batch_size, device=device))


if __name__ == "__main__":
    fire.Fire(main)
