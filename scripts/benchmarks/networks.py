"""The networks that are compared for one task: ours, and MONAI's configured for the same plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from monai.networks.nets import DynUNet, SegResNet
from torch import nn

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.networks import AdwUNet
from adw_components.plan import Plan
from adw_components.record_fields import check_patch_size
from adw_components.reference import nnunet_default, published, published_tasks
from adw_components.search_space import SearchSpace

Builder = Callable[[], nn.Module]
RANDOM_SEEDS = (0, 1, 2)
# nnU-Net's; the widths of the default search space are those around it.
DEFAULT_WIDTH = 32
# SegResNet halves the resolution three times, and takes any patch that this divides.
SEGRESNET_FACTOR = 8


def our_architectures(
    task: str, plan: Plan, *, base_width: int, patch_size: Sequence[int], derived: Sequence[Path]
) -> dict[str, Architecture]:
    """The architectures of ours by name.

    They are the derived ones (`derived`, or `derived_1` and so on), the `published` one where the task has one, random
    ones of the default search space (`random_0` and so on, by their seed), and `nnunet_default`.

    Args:
        task: name of an MSD task.
        plan: its plan.
        base_width: of nnU-Net's default; the search space's widths are scaled along. Derived and published
            architectures have their own.
        patch_size: voxels per axis.
        derived: paths of architecture records.

    Raises:
        UserError: a record cannot be read, or its strides do not divide the patch.
    """
    names = ["derived"] if len(derived) == 1 else [f"derived_{number + 1}" for number in range(len(derived))]
    ours = {name: load(path, patch_size) for name, path in zip(names, derived, strict=True)}
    if task in published_tasks():
        ours["published"] = published(task)
    geometry = {"strides": plan.strides, "kernel_sizes": plan.kernel_sizes}
    space = SearchSpace(**geometry, base_widths=scaled_widths(base_width))
    ours |= {f"random_{seed}": space.sample(seed) for seed in RANDOM_SEEDS}
    return ours | {"nnunet_default": nnunet_default(**geometry, base_width=base_width)}


def load(path: Path, patch_size: Sequence[int]) -> Architecture:
    """The architecture at `path`, whose strides must divide the patch."""
    architecture = Architecture.load(path)
    try:
        check_patch_size(patch_size, architecture.strides)
    except UserError as error:
        raise UserError(f"{path}: {error}; give the --task or --patch_size it was made for") from error
    return architecture


def scaled_widths(base_width: int) -> tuple[int, ...]:
    """The default base widths, 16 to 48, where 32 becomes `base_width`; those that fall together count once."""
    defaults = SearchSpace.base_widths
    return tuple(sorted({max(1, round(width * base_width / DEFAULT_WIDTH)) for width in defaults}))


def builders(
    plan: Plan, architectures: Mapping[str, Architecture], *, base_width: int, patch_size: Sequence[int]
) -> tuple[dict[str, Builder], dict[str, str]]:
    """How to make every network, by name, and why another one was left out.

    MONAI's are `dynunet`, `dynunet_residual` and `segresnet`; the plan's strides must divide the patch.
    """
    made = {name: our_network(plan, architecture) for name, architecture in architectures.items()}
    made["dynunet"] = lambda: dynunet(plan, base_width=base_width)
    made["dynunet_residual"] = lambda: dynunet(plan, base_width=base_width, residual=True)
    if any(length % SEGRESNET_FACTOR for length in patch_size):
        return made, {"segresnet": f"it needs a patch divisible by {SEGRESNET_FACTOR}, got {tuple(patch_size)}"}
    made["segresnet"] = lambda: segresnet(plan, init_filters=base_width)
    return made, {}


def our_network(plan: Plan, architecture: Architecture) -> Builder:
    """Makes the network of `architecture`."""
    return lambda: AdwUNet(architecture.spatial_dims, plan.in_channels, plan.out_channels, architecture)


def dynunet(plan: Plan, *, base_width: int, residual: bool = False) -> DynUNet:
    """MONAI's `DynUNet` with nnU-Net's default strides, kernels, widths and heads.

    Three things remain different from nnU-Net v2 and from `nnunet_default`: its convolutions have no bias (their
    instance norm would take it out again); a decoder block has the kernel of the stage below, as in nnU-Net's first
    version; and it scales the outputs of the lower levels up to the patch, so that the loss sees all of them at full
    resolution.

    Args:
        plan: channels, strides and kernels.
        base_width: channels of the first stage.
        residual: an encoder block is a residual block of two convolutions. MONAI has no exact ResEnc: nnU-Net's has up
            to six such blocks a stage and one convolution a decoder block.
    """
    default = nnunet_default(strides=plan.strides, kernel_sizes=plan.kernel_sizes, base_width=base_width)
    return DynUNet(
        spatial_dims=len(plan.strides[0]),
        in_channels=plan.in_channels,
        out_channels=plan.out_channels,
        kernel_size=plan.kernel_sizes,
        strides=plan.strides,
        upsample_kernel_size=plan.strides[1:],
        filters=[widths[-1] for widths in default.encoder_widths],
        deep_supervision=True,
        deep_supr_num=default.n_stages - 2,
        res_block=residual,
        trans_bias=True,
    )


def segresnet(plan: Plan, *, init_filters: int) -> SegResNet:
    """MONAI's `SegResNet`, four levels whatever the plan, without deep supervision.

    Its group norm has 8 groups, or as many as `init_filters` allows.
    """
    return SegResNet(
        spatial_dims=len(plan.strides[0]),
        init_filters=init_filters,
        in_channels=plan.in_channels,
        out_channels=plan.out_channels,
        norm=("GROUP", {"num_groups": math.gcd(8, init_filters)}),
    )
