"""Settings out of their range are named before any work."""

from typing import Any

import pytest

from adw_components.bundle.settings import require_choices, require_settings
from adw_components.errors import UserError
from adw_components.search_space import SearchSpace

STRIDES = ((1, 1, 1), (2, 2, 2), (2, 2, 1))
LABELS = {"1": "Anterior", "2": "Posterior"}


def check(*, labels: dict[str, str] = LABELS, out_channels: int = 3, **settings: Any) -> None:
    require_settings(strides=STRIDES, labels=labels, out_channels=out_channels, **settings)


def test_sound_settings_pass() -> None:
    check(patch_size=[24, 32, 22], spacing=[1, 1, 1], mirror_axes=[0, 2], max_epochs=1, learning_rate=0.1, device="cpu")
    check(mirror_axes=[], momentum=0, overlap=0.5, seed=0, num_workers=0)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("patch_size", [24, 30, 24], r"patch_size must be divisible by \(4, 4, 2\), got \(24, 30, 24\)"),
        ("patch_size", 24, "patch_size must be a list"),
        ("max_epochs", 0, "max_epochs must be a whole number from 1 on, got 0"),
        ("max_epochs", "two", "max_epochs must be a whole number from 1 on, got 'two'"),
        ("batch_size", True, "batch_size must be a whole number"),
        ("seed", -1, "seed must be a whole number from 0 on, got -1"),
        ("learning_rate", "fast", "learning_rate must be a number above 0, got 'fast'"),
        ("learning_rate", 0.0, "learning_rate must be a number above 0"),
        ("overlap", 1.5, "overlap must be a number from 0 and below 1, got 1.5"),
        ("device", "gpu", "device must be a device of this machine"),
        ("mirror_axes", [3], "mirror_axes must be a list of axes from 0 to 2"),
        ("mirror_axes", 1, "mirror_axes must be a list"),
        ("spacing", [1, 1], "spacing must have 3 numbers"),
        ("mask_placement", "after", "mask_placement must be after_norm or before_norm, got 'after'"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_rule(name: str, value: Any, rule: str) -> None:
    with pytest.raises(UserError, match=rule):
        check(**{name: value})


@pytest.mark.parametrize("labels", [{"1": "A"}, {"1": "A", "3": "B"}, {"2": "A", "1": "B"}])
def test_labels_must_fit_the_classes(labels: dict[str, str]) -> None:
    with pytest.raises(UserError, match="labels must name the values 1 to"):
        check(labels=labels)


def test_a_space_of_one_candidate_is_nothing_to_search() -> None:
    space = SearchSpace(base_widths=(4,), depths=(2,), strides=STRIDES, kernel_sizes=((3, 3, 3),) * 3)
    with pytest.raises(UserError, match="nothing to search"):
        require_choices(space)
