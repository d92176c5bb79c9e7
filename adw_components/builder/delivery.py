"""How a bundle reaches its reader: in the repository, or exported with its own code. No torch here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What the documents of a bundle need to know about it.

    Args:
        exported: whether it carries its code and needs no repository.
        weights: whether weights ship.
        own_weights: whether they are those that the bundle has in the repository, of which its documents speak.
        metrics: whether the metadata give what an evaluation of these weights measured.
        patch_size: that they were trained with, if it is not the plan's.
    """

    exported: bool = False
    weights: bool = False
    own_weights: bool = False
    metrics: bool = False
    patch_size: tuple[int, ...] = ()

    @property
    def package(self) -> str:
        """The package whose commands the reader has."""
        return "scripts" if self.exported else "adw_components"


def in_repository(weights: bool) -> Delivery:
    """A bundle beside its package, with or without weights of its own, and then with what they measured."""
    return Delivery(weights=weights, own_weights=weights, metrics=weights)


IN_REPOSITORY = in_repository(False)
