"""Time and memory of a step: medians over alternating repeats, and what a pass holds at its peak."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter

import torch
from tqdm import tqdm


def alternate(
    steps: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    device: torch.device,
    warm_ups: int = 1,
    label: str = "timing",
) -> dict[str, float]:
    """Median time of every step, in seconds.

    Every repeat runs all steps in turn, beginning one further each time: a machine that grows slower or hot falls on
    all of them alike.

    Args:
        steps: by name, what is timed; what a step returns is dropped.
        repeats: how often each step is timed, from 1 on.
        device: where the steps run; a GPU is waited for before and after each.
        warm_ups: untimed rounds before, from 0 on.
        label: of the progress bar.
    """
    names = list(steps)
    rounds = [rotated(names, index) for index in range(repeats)]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with tqdm(total=(warm_ups + repeats) * len(names), desc=label, unit="step", disable=None) as bar:
        for name in names * warm_ups:
            timed(steps[name], device)
            bar.update()
        for name in (name for order in rounds for name in order):
            seconds[name].append(timed(steps[name], device))
            bar.update()
    return {name: statistics.median(values) for name, values in seconds.items()}


def rotated(names: list[str], index: int) -> list[str]:
    """`names`, beginning `index` places further on."""
    start = index % len(names) if names else 0
    return names[start:] + names[:start]


def timed(step: Callable[[], object], device: torch.device) -> float:
    """Seconds that `step` takes; on a GPU between two events of its stream, which its own clock times."""
    if device.type == "cuda":
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        synchronize(device)
        start.record()
        step()
        end.record()
        synchronize(device)
        return start.elapsed_time(end) / 1e3
    started = perf_counter()
    step()
    return perf_counter() - started


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was given; nothing to wait for elsewhere."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory(step: Callable[[], object], *, device: torch.device, parameters: Iterable[torch.Tensor] = ()) -> int:
    """Bytes that `step`, which runs its forward and backward passes itself, needs at its peak.

    On a GPU: what torch's allocator held at most, less what it held before. Gradients that the step creates are part
    of it, and so are, if the step is the first one, the states of its optimizer.

    Elsewhere, "meta" included: the bytes of all tensors that autograd keeps for backward passes at one time, every
    storage once and `parameters` (or views of them) not at all. A backward pass frees what its forward pass kept, so
    several passes in turn count as the largest of them; passes whose graphs live together count together.
    Gradients and workspace of the operations are not part of it.
    """
    if device.type == "cuda":
        return _peak_on_gpu(step, device)
    kept = KeptBytes(parameters)
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, KeptBytes.unpack):
        step()
    return kept.peak


def _peak_on_gpu(step: Callable[[], object], device: torch.device) -> int:
    synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


class KeptBytes:
    """Bytes of the storages that autograd keeps now (`live`) and kept at most (`peak`)."""

    def __init__(self, excluded: Iterable[torch.Tensor] = ()) -> None:
        self.live = self.peak = 0
        self._excluded = {tensor.untyped_storage()._cdata for tensor in excluded}
        self._holders: Counter[int] = Counter()

    def pack(self, tensor: torch.Tensor) -> Kept | torch.Tensor:
        """What autograd keeps in place of `tensor`."""
        key = tensor.untyped_storage()._cdata
        return tensor if key in self._excluded else Kept(tensor, key, self)

    @staticmethod
    def unpack(kept: Kept | torch.Tensor) -> torch.Tensor:
        """The tensor again."""
        return kept.tensor if isinstance(kept, Kept) else kept

    def add(self, key: int, size: int) -> None:
        """One more holder of the storage `key` of `size` bytes."""
        self._holders[key] += 1
        if self._holders[key] == 1:
            self.live += size
            self.peak = max(self.peak, self.live)

    def remove(self, key: int, size: int) -> None:
        """One holder less."""
        self._holders[key] -= 1
        if self._holders[key] == 0:
            self.live -= size


class Kept:
    """A tensor that autograd keeps; it counts until autograd lets it go.

    The tensor is held, so that the address of its storage is not given to another one meanwhile.
    """

    def __init__(self, tensor: torch.Tensor, key: int, kept: KeptBytes) -> None:
        self.tensor, self._key, self._kept = tensor, key, kept
        kept.add(key, tensor.untyped_storage().nbytes())

    def __del__(self) -> None:
        self._kept.remove(self._key, self.tensor.untyped_storage().nbytes())
