"""The networks that a derived one is measured against: nnU-Net's default, and others of the FLOPs aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from adw_components.architecture import Architecture
from adw_components.cost import count_flops
from adw_components.errors import UserError
from adw_components.reference import nnunet_default
from adw_components.search_space import SearchSpace

# A random network may cost this share more or less than what is aimed at.
TOLERANCE = 0.02
_STEPS = 2000
_MOST_SAMPLES = 50_000


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the FLOPs of a network depend on beside itself.

    Attributes:
        space: that the search chooses from.
        default_width: base width of the default network.
        in_channels: of the image.
        out_channels: classes, background included.
        patch_size: voxels per axis.
    """

    space: SearchSpace
    default_width: int
    in_channels: int
    out_channels: int
    patch_size: tuple[int, ...]

    def flops(self, architecture: Architecture) -> int:
        """Forward FLOPs of a patch."""
        return count_flops(
            architecture, in_channels=self.in_channels, out_channels=self.out_channels, patch_size=self.patch_size
        )

    def default(self) -> Architecture:
        """nnU-Net's default network at this scale: two convolutions a block."""
        return nnunet_default(
            strides=self.space.strides, kernel_sizes=self.space.kernel_sizes, base_width=self.default_width
        )


def uniform(setting: Setting, *, depth: int, flops: float) -> Architecture:
    """The default network with `depth` convolutions a block and all widths times one factor, nearest to `flops`."""

    def scaled(factor: float) -> Architecture:
        widths = [max(1, round(factor * widths[0])) for widths in setting.default().blocks]
        provenance = {"source": "uniform scaling", "depth": depth, "factor": factor}
        return setting.space.architecture([(width,) * depth for width in widths], provenance)

    candidates = (scaled(3 * step / _STEPS) for step in range(1, _STEPS))
    return min(candidates, key=lambda each: abs(setting.flops(each) - flops))


def randoms(setting: Setting, *, number: int, flops: float, within: float = TOLERANCE) -> list[Architecture]:
    """The first random samples of the search space that cost `flops`, give or take the share `within`.

    Raises:
        UserError: too few of many samples cost that.
    """
    drawn = (setting.space.sample(seed) for seed in range(_MOST_SAMPLES))
    found = list(islice((each for each in drawn if abs(setting.flops(each) / flops - 1) <= within), number))
    if len(found) < number:
        raise UserError(
            f"{len(found)} of {_MOST_SAMPLES} random networks cost {flops:.4g} FLOPs, but n_random is {number}; "
            "lower n_random, or give more base_widths"
        )
    return found


def contenders(setting: Setting, *, flops: float, n_random: int) -> dict[str, Architecture]:
    """Name -> network: the default one, and uniform and random ones of the FLOPs that the searches aim at."""
    return {
        "default": setting.default(),
        **{f"uniform_{depth}": uniform(setting, depth=depth, flops=flops) for depth in setting.space.depths},
        **{f"random_{number}": each for number, each in enumerate(randoms(setting, number=n_random, flops=flops), 1)},
    }
