"""The points that the figures over the epochs draw."""

import pytest
from fabricated_runs import train_row

from adw_components.report.curves import epoch_figures, points
from adw_components.report.epochs import Epoch
from adw_components.report.figures import thinned


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 1000, 12345])
def test_thinning_keeps_the_ends_and_the_order(count: int) -> None:
    kept = thinned(range(count))
    assert len(kept) == min(count, 300)
    assert kept == sorted(set(kept))
    assert not count or (kept[0], kept[-1]) == (0, count - 1)


def test_long_runs_do_not_grow_the_page() -> None:
    def figures(count: int) -> int:
        return len("".join(epoch_figures([Epoch.of(train_row(epoch)) for epoch in range(1, count)], name="long")))

    assert figures(6000) < 1.2 * figures(600)


def test_points_leave_out_what_was_not_measured() -> None:
    epochs = [Epoch.of(train_row(epoch)) for epoch in range(1, 6)]
    assert points(epochs, lambda epoch: epoch.validation.mean_dice if epoch.validation else None) == (
        [2, 4],
        [0.7, 0.7],
    )
