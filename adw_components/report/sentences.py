"""What a search came to, a sentence a thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from ..architecture import Architecture
from ..cost import COST_KINDS
from .branches import Branch
from .units import amount, duration, in_unit, percent


def branch_sentences(branch: Branch) -> list[str]:
    """Those of one search: how it ended, and what the choices cost its Dice."""
    return there([_stopped_early(branch), _discretization(branch)])


def landing(architecture: Architecture) -> str | None:
    """How the derived network met its target, from its provenance; None if nothing is said of it there."""
    facts, target = architecture.provenance, architecture.provenance.get("target")
    cost, before = facts.get("cost"), facts.get("cost_before_landing")
    if not _is_target(target) or not _is_number(cost):
        return None
    kind, value = target["kind"], target["value"]
    sentence = f"The derived network costs {_to_target(kind, cost, value)}."
    changes = facts.get("changes_to_meet_target")
    if not changes or not _is_number(before):
        return sentence
    leads = "change of a width or depth leads" if changes == 1 else "changes of a width or depth lead"
    return f"{sentence} The likeliest choices would cost {in_unit(kind, before)}; {changes} {leads} from them to it."


def _to_target(kind: Any, cost: float, value: float) -> str:
    return f"{amount(kind, cost)} against a target of {in_unit(kind, value)} ({percent(cost / value - 1)})"


def _stopped_early(branch: Branch) -> str | None:
    last = branch.last
    if last.stopped_early is None:
        return None
    saved = last.stopped_early
    entropy = "" if last.entropy is None else f" (entropy {last.entropy:.2g})"
    return (
        f"Stopped early after epoch {last.epoch} of {last.epoch + saved.epochs_saved}: the choices had "
        f"settled{entropy}; about {duration(saved.seconds_saved)} saved."
    )


def _discretization(branch: Branch) -> str | None:
    for epoch in reversed(branch.epochs):
        if epoch.supernet_validation and epoch.validation:
            supernet, derived = epoch.supernet_validation.mean_dice, epoch.validation.mean_dice
            if supernet is None or derived is None:
                return None
            return (
                f"Mean Dice on the validation cases after epoch {epoch.epoch}: supernet {supernet:.4f}, derived "
                f"network with its weights {derived:.4f} ({derived - supernet:+.4f}), before any retraining."
            )
    return None


def _is_target(target: Any) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(target, Mapping)
        and target.get("kind") in COST_KINDS
        and _is_number(target.get("value"))
        and target["value"] > 0
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def there(found: Iterable[str | None]) -> list[str]:
    """The sentences that have something to say."""
    return [sentence for sentence in found if sentence]
