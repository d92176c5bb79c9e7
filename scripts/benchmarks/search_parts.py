"""What searching costs, part by part: each measures its steps, and gives their figures and the ratios between them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import torch

from .dints import DintsIteration
from .search_sizes import Sizes
from .search_steps import (
    ITERATIONS,
    Batch,
    Figures,
    ForwardBackward,
    SearchIteration,
    Step,
    measure,
    random_batch,
)
from .variants import VARIANTS

Ratios = dict[str, float]
# A CPU has no float16 that is faster. The loss is not scaled here, which costs hardly anything.
DTYPES = {"cuda": {"float16": torch.float16, "bfloat16": torch.bfloat16}, "cpu": {"bfloat16": torch.bfloat16}}
# Word in the name of a ratio -> its figure.
WORDS = {"time": "seconds", "memory": "bytes"}


def passes(sizes: Sizes, device: torch.device) -> tuple[Figures, Ratios]:
    """Forward and backward of the supernet and of other ways to build one, over the plain network of its size."""
    batch, _ = batches(sizes, device)
    steps: dict[str, Step] = {n: ForwardBackward(build(sizes.search_space), batch) for n, build in VARIANTS.items()}
    figures = measure(steps, repeats=sizes.repeats, device=device, label="passes")
    return figures, over(figures, "plain")


def iterations(sizes: Sizes, device: torch.device) -> tuple[Figures, Ratios]:
    """Our iterations, over the sequential one."""
    figures = measure(ours(sizes, device), repeats=sizes.repeats, device=device, label="iterations")
    return figures, over(figures, "sequential")


def dints(sizes: Sizes, device: torch.device) -> tuple[Figures, Ratios]:
    """Our iterations over one of MONAI's DiNTS, at one patch and batch; "ours" is the iteration that `sizes` names."""
    sizes = replace(sizes, patch_size=sizes.dints_patch_size)
    steps = {**ours(sizes, device), "dints": DintsIteration(*batches(sizes, device))}
    figures = measure(steps, repeats=sizes.repeats, device=device, label="beside DiNTS")
    return figures, over({"ours": figures[sizes.iteration], **figures}, "dints")


def switches(sizes: Sizes, device: torch.device) -> tuple[Figures, Ratios]:
    """The simultaneous iteration with torch's switches, each alone and all of them at once, over the default."""
    made = {name: make() for name, make in switch_makers(sizes, device).items()}
    steps: dict[str, Step] = {name: step for name, step in made.items() if step is not None}
    figures = measure(steps, repeats=sizes.repeats, device=device, label="switches")
    return figures, over(figures, "default")


def switch(name: str, sizes: Sizes, device: torch.device) -> Figures:
    """The simultaneous iteration with one switch, or "default"; nothing where torch cannot compile it."""
    step = switch_makers(sizes, device)[name]()
    return {} if step is None else measure({name: step}, repeats=sizes.repeats, device=device, label=name)


def switch_makers(sizes: Sizes, device: torch.device) -> dict[str, Callable[[], Step | None]]:
    """Switch -> what makes its step."""
    made = partial(SearchIteration, sizes.search_space, *batches(sizes, device), name="simultaneous")
    precise = {name: partial(torch.autocast, device.type, dtype=dtype) for name, dtype in DTYPES[device.type].items()}

    def together() -> SearchIteration:
        return channels_last(made(autocast=precise["bfloat16"]))

    return {
        "default": made,
        **{name: partial(made, autocast=autocast) for name, autocast in precise.items()},
        "channels_last": lambda: channels_last(made()),
        "cudnn_benchmark": lambda: CudnnBenchmark(made()),
        "compiled": lambda: compiled(made()),
        "together": lambda: CudnnBenchmark(together()),
        "together, compiled": lambda: (step := compiled(together())) and CudnnBenchmark(step),
    }


def growth(sizes: Sizes, device: torch.device) -> tuple[Figures, Ratios]:
    """The iteration of `sizes`, and the same at smaller widths, patches and numbers of stages; no ratios."""
    made = partial(SearchIteration, name=sizes.iteration)
    smaller = sizes.smaller()
    steps: dict[str, Step] = {name: made(s.search_space, *batches(s, device)) for name, s in smaller.items()}
    figures = measure(steps, repeats=sizes.repeats, device=device, label="growth")
    return {name: {"voxels": math.prod(smaller[name].patch_size), **row} for name, row in figures.items()}, {}


PARTS: Mapping[str, Callable[[Sizes, torch.device], tuple[Figures, Ratios]]] = {
    "passes": passes,
    "iterations": iterations,
    "dints": dints,
    "switches": switches,
    "growth": growth,
}


def over(figures: Figures, baseline: str) -> Ratios:
    """Every figure of every step over that of `baseline`: "supernet_over_plain_time" and so on."""
    base = figures[baseline]
    others = {name: row for name, row in figures.items() if name != baseline}
    return {f"{n}_over_{baseline}_{w}": row[f] / base[f] for n, row in others.items() for w, f in WORDS.items()}


def batches(sizes: Sizes, device: torch.device) -> tuple[Batch, Batch]:
    """A batch of A and one of B."""
    made = partial(random_batch, sizes.patch_size, sizes.batch_size, device=device)
    return made(seed=0), made(seed=1)


def ours(sizes: Sizes, device: torch.device) -> dict[str, Step]:
    """All our iterations, each with a supernet of its own."""
    made = partial(SearchIteration, sizes.search_space, *batches(sizes, device))
    return {name: made(name=name) for name in ITERATIONS}


class CudnnBenchmark:
    """`step` with cuDNN trying its algorithms at every new shape; on a CPU it changes nothing.

    Args:
        step: as it is.
    """

    def __init__(self, step: SearchIteration) -> None:
        self.step, self.network, self.iterations = step, step.network, step.iterations

    def __call__(self) -> None:
        torch.backends.cudnn.benchmark = True
        try:
            self.step()
        finally:
            torch.backends.cudnn.benchmark = False


def channels_last(step: SearchIteration) -> SearchIteration:
    """`step` with weights and images stored channels last."""
    form = torch.channels_last_3d
    step.network.to(memory_format=form)
    step.a, step.b = ((images.to(memory_format=form), labels) for images, labels in (step.a, step.b))
    return step


def compiled(step: SearchIteration) -> SearchIteration | None:
    """`step` with a compiled network; None, and the reason on the standard error, where torch cannot compile it."""
    step.network.compile()
    try:
        step()
    except Exception as error:  # torch's compilers raise of many kinds that have no base of their own
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"torch.compile is left out: {reason}", file=sys.stderr)
        return None
    return step
