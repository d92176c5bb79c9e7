"""AdwUNetSupernet: all architectures of a search space in one network with shared weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from ..architecture import Architecture
from ..errors import UserError
from ..search_space import SearchSpace
from .adw_unet import AdwUNet, require_spatial_dims
from .choice_block import ChoiceBlock, MaskedUpsampling, MaskPlacement
from .record_buffer import register_record
from .single_path import Outputs, single_path, twin_of
from .slicing import slice_weights
from .unet import UNetSkeleton


class AdwUNetSupernet(UNetSkeleton):
    """The supernet: widest and deepest path of a search space, with a choice of width and depth per block.

    In training every forward pass draws fresh Gumbel noise; evaluation draws none. The temperature is the
    buffer `tau`, so that `forward(x)` fits any inferer. Shapes as in `UNetSkeleton.forward`.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: classes, background included.
        search_space: the candidates; `SearchSpace.restricted` gives depth only or width only.
        mask_placement: "after_norm" folds the width mask into the norm's affine vectors; "before_norm" is the
            order of the authors' code, which all but removes the gradient of alpha
            (docs/decisions/001-mask-after-norm.md).
        deep_supervision: whether the training forward gives the outputs of all decoder levels.
        temperature: first value of `tau`.

    Raises:
        UserError: an argument is out of its range.
    """

    tau: torch.Tensor

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        search_space: SearchSpace,
        mask_placement: MaskPlacement = "after_norm",
        deep_supervision: bool = True,
        temperature: float = 5.0,
    ) -> None:
        require_spatial_dims("search_space", search_space.spatial_dims, spatial_dims)
        if mask_placement not in ("after_norm", "before_norm"):
            raise UserError(f"mask_placement must be after_norm or before_norm, got {mask_placement!r}")

        def build_block(index: int, stage: int, channels: int, stride: Sequence[int] | int) -> nn.Module:
            return ChoiceBlock(
                spatial_dims=spatial_dims,
                in_channels=channels,
                widths=search_space.block_widths[index],
                depths=search_space.depths,
                kernel_size=search_space.kernel_sizes[stage],
                stride=stride,
                mask_placement=mask_placement,
            )

        widest = [widths[-1] for widths in search_space.block_widths]
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            strides=search_space.strides,
            encoder_widths=widest[: search_space.n_stages],
            decoder_widths=widest[search_space.n_stages :],
            build_block=build_block,
            deep_supervision=deep_supervision,
        )
        self.upsamplings = nn.ModuleList(MaskedUpsampling(conv) for conv in self.upsamplings)
        self.spatial_dims = spatial_dims
        self.search_space, self.mask_placement = search_space, mask_placement
        self.register_buffer("tau", torch.tensor(float(temperature)))
        register_record(self, "search space", search_space.to_dict())

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        """Draw one choice per block and segment; see `UNetSkeleton.forward`."""
        self._draw_choices()
        try:
            return super().forward(x)
        finally:
            self._forget_choices()

    @torch.compiler.disable  # Compiled code draws other random numbers.
    def _draw_choices(self) -> None:
        drawn = [block.choice.draw(self.tau) for block in self.blocks]
        for block, choice in zip(self.blocks, drawn, strict=True):
            block.drawn = choice
        if self.mask_placement == "after_norm":
            skips = drawn[: self.search_space.n_stages - 1]
            for up, choice in zip(self.upsamplings, reversed(skips), strict=True):
                up.mask = choice.output_mask

    def _forget_choices(self) -> None:
        for block in self.blocks:
            block.drawn = None
        for up in self.upsamplings:
            up.mask = None  # type: ignore[assignment]

    @property
    def blocks(self) -> list[ChoiceBlock]:
        """All blocks: encoder shallow to deep, then decoder deep to shallow."""
        return [*self.encoder, *self.decoder]

    def architecture_parameters(self) -> list[nn.Parameter]:
        """alpha and beta of all blocks."""
        return [parameter for block in self.blocks for parameter in block.choice.parameters()]

    def weight_parameters(self) -> list[nn.Parameter]:
        """Everything trainable but alpha and beta."""
        chosen = {id(parameter) for parameter in self.architecture_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in chosen]

    def logits(self) -> dict[str, list[Any]]:
        """alpha ([block][convolution][width]) and beta ([block][depth]) as plain numbers."""
        choices = [block.choice for block in self.blocks]
        return {
            "alpha": [choice.alpha.detach().cpu().tolist() for choice in choices],
            "beta": [choice.beta.detach().cpu().tolist() for choice in choices],
        }

    def derive(self, provenance: Mapping[str, Any] | None = None) -> Architecture:
        """The architecture that the choices now favour (paper section 3.4)."""
        return self.search_space.architecture([block.choice.derive() for block in self.blocks], provenance)

    def sample(self) -> Architecture:
        """A random architecture, every choice drawn with probability softmax(logit)."""
        return self.search_space.architecture([block.choice.sample() for block in self.blocks])

    def path(self, architecture: Architecture) -> Callable[[torch.Tensor], Outputs]:
        """The forward pass of `architecture` alone, on this network's weights: it gives what `inherit` would give.

        It costs what the derived network costs; gradients reach the leading channels of the weights, none reach
        alpha and beta.
        """
        self._require_member(architecture)
        return single_path(self, twin_of(*self._shape, architecture, self.deep_supervision))

    def inherit(self, architecture: Architecture) -> AdwUNet:
        """The derived network of `architecture` with the leading channels of the supernet's weights.

        Raises:
            UserError: `architecture` is not in the search space.
        """
        self._require_member(architecture)
        network = AdwUNet(*self._shape, architecture, self.deep_supervision)
        slice_weights(self, network)
        return network.to(self.tau.device).train(self.training)

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.spatial_dims, self.in_channels, self.out_channels

    def _require_member(self, architecture: Architecture) -> None:
        if architecture not in self.search_space:
            raise UserError("the architecture is not in the search space of this supernet; derive one from it")
