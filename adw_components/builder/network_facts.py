"""Collect the facts about its networks that the documents of a bundle state. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..architecture import SEARCHED, Architecture
from ..cost import count_activation_bytes, count_flops, count_parameters
from ..describe import by, default_like, resolution_strides
from ..plan import Plan
from ..reference import published, published_tasks
from ..search_space import SearchSpace
from ..tasks import Task
from .source import BundleSource
from .wording import gigabytes, in_markdown, stated, thousands


@dataclass(frozen=True, kw_only=True)
class NetworkCost:
    """Parameters, forward FLOPs of a patch, and bytes of activations that a training step keeps at the plan's batch."""

    parameters: int
    flops: int
    activations: int

    @classmethod
    def of(cls, architecture: Architecture, source: BundleSource) -> NetworkCost:
        """The exact cost of `architecture` with the bundle's channels, patch and batch."""
        plan = source.plan
        channels = {"in_channels": source.network_channels, "out_channels": plan.out_channels}
        return cls(
            parameters=count_parameters(architecture, **channels),
            flops=count_flops(architecture, patch_size=plan.patch_size, **channels),
            activations=count_activation_bytes(
                architecture, patch_size=plan.patch_size, batch_size=plan.batch_size, **channels
            ),
        )

    def words(self) -> dict[str, str]:
        """The figures as text, activations in GB."""
        return {
            "parameters": thousands(self.parameters),
            "flops": thousands(self.flops),
            "activations": gigabytes(self.activations),
        }


def search_space_of(plan: Plan) -> SearchSpace:
    """The space that the bundle's search config has by default."""
    return SearchSpace(strides=plan.strides, kernel_sizes=plan.kernel_sizes)


def network_facts(architecture: Architecture, source: BundleSource) -> dict[str, Any]:
    """Return where the architecture comes from, what it costs beside others, and a row for every stage."""
    plan = source.plan
    return {
        "origin": origin(architecture, source.task),
        "source": in_markdown(stated(str(architecture.provenance.get("source", "of unknown source")))),
        "in_space": architecture in search_space_of(plan),
        "own": NetworkCost.of(architecture, source).words(),
        "costs": _cost_rows(architecture, source),
        "stages": _stage_rows(architecture, plan),
    }


def origin(architecture: Architecture, task: Task | None) -> str:
    """Name its origin: "published" for the task, nnU-Net's "default", "searched" here, or "other"."""
    if task and task.name in published_tasks() and architecture == published(task.name):
        return "published"
    if architecture == default_like(architecture):
        return "default"
    return "searched" if architecture.provenance.get("source") == SEARCHED else "other"


def _cost_rows(architecture: Architecture, source: BundleSource) -> list[dict[str, str]]:
    plan = source.plan
    space = search_space_of(plan)
    largest = space.uniform(width=len(space.base_widths) - 1, depth=space.max_depth)
    own, default, most = (NetworkCost.of(each, source) for each in (architecture, default_like(architecture), largest))
    names = {
        "parameters": "parameters",
        "flops": "forward FLOPs of a patch",
        "activations": f"GB of activations, float32, batch {plan.batch_size}",
    }
    return [
        {
            "name": name,
            "own": own.words()[field],
            "default": default.words()[field],
            "ratio": f"{getattr(own, field) / getattr(default, field):.2f}",
            "largest": most.words()[field],
        }
        for field, name in names.items()
    ]


def _stage_rows(architecture: Architecture, plan: Plan) -> list[dict[str, str]]:
    space = search_space_of(plan)
    # The deepest stage has no decoder block.
    decoder = [*architecture.decoder_widths[::-1], ()]
    return [
        {
            "stride": by(architecture.strides[stage]),
            "kernel": by(architecture.kernel_sizes[stage]),
            "size": by([size // step for size, step in zip(plan.patch_size, total, strict=True)]),
            "candidates": _listed(space.stage_widths(stage)),
            "encoder": _listed(architecture.encoder_widths[stage]),
            "decoder": _listed(decoder[stage]),
        }
        for stage, total in enumerate(resolution_strides(architecture))
    ]


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
