"""Searching keeps hardly more activations than training the largest network does (DESIGN.md, finding 2)."""

from importlib import import_module
from types import ModuleType

import pytest
import torch
from tiny import space

from adw_components.networks.choice_block import MaskedConvLayer

SPACE = space(spatial_dims=3, n_stages=3, base_widths=(4, 6, 8), depths=(1, 2, 3))
SIZE = (16, 16, 16)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The script as a module."""
    return import_module("benchmark_memory")


@pytest.fixture(scope="module")
def saved(benchmark: ModuleType) -> dict[str, int]:
    """Variant -> bytes."""
    return {name: row["activations"] for name, row in benchmark.measure(SPACE, patch_size=SIZE).items()}


def test_folded_masks_cost_at_most_a_fifth(saved: dict[str, int]) -> None:
    assert saved["plain"] < saved["folded"] <= 1.20 * saved["plain"]


def test_explicit_masks_would_cost_half_as_much_again(saved: dict[str, int]) -> None:
    assert saved["explicit"] > 1.5 * saved["plain"]


def test_plain_network_keeps_what_its_layers_need(benchmark: ModuleType) -> None:
    """One convolution, norm and activation keep their input, the norm's input and the output; 4 bytes a value."""
    layer = MaskedConvLayer(spatial_dims=3, in_channels=2, out_channels=3, kernel_size=(3, 3, 3)).train()
    x = torch.randn(1, 2, 8, 8, 8)
    kept = benchmark.saved_activations(layer, x)
    voxels = 8**3
    assert 0 <= kept - 4 * voxels * (2 + 3 + 3) < 200


def test_counting_without_computing_gives_the_same(benchmark: ModuleType, saved: dict[str, int]) -> None:
    on_meta = benchmark.measure(SPACE, patch_size=SIZE, device="meta")
    for name, expected in saved.items():
        assert on_meta[name]["activations"] == pytest.approx(expected, rel=0.02)


def test_explicit_supernet_computes_the_same(benchmark: ModuleType) -> None:
    outputs = []
    for variant in ("folded", "explicit"):
        torch.manual_seed(0)
        network = benchmark.build(variant, SPACE)
        outputs.append(network(torch.ones(1, 1, *SIZE).cumsum(2)))
    torch.testing.assert_close(outputs[0], outputs[1])


def test_table_has_a_row_per_variant(benchmark: ModuleType) -> None:
    lines = benchmark.main(base_widths=(1, 2), patch_size=(16, 16, 16), device="meta").splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["plain", "folded", "explicit"]
    assert lines[1].split()[-1] == "1.000"
