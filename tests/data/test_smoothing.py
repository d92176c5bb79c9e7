"""Smoothing: MONAI's values with MONAI's random numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import GaussianSmooth, RandGaussianSmoothd

from adw_components.data.smoothing import RandQuickSmoothd, smoothed

OPTIONS = {"keys": "image", "sigma_x": [0.5, 1.0], "sigma_y": [0.6, 1.2], "sigma_z": [0.5, 2.0]}


@given(st.lists(st.integers(1, 14), min_size=2, max_size=3), st.integers(1, 2), st.lists(st.floats(0.2, 2), min_size=3))
def test_as_monais_convolution(shape: list, channels: int, sigmas: list) -> None:
    image = torch.randn(channels, *shape, generator=torch.Generator().manual_seed(0))
    before, chosen = image.clone(), sigmas[: len(shape)]
    expected = torch.as_tensor(GaussianSmooth(sigma=chosen)(image))
    torch.testing.assert_close(smoothed(image, chosen), expected, atol=1e-5, rtol=0)
    assert torch.equal(image, before)


@pytest.mark.parametrize("prob", [0.0, 0.5, 1.0])
def test_the_same_images_are_smoothed_by_the_same_sigmas(prob: float) -> None:
    ours, monais = (kind(prob=prob, **OPTIONS) for kind in (RandQuickSmoothd, RandGaussianSmoothd))
    for transform in (ours, monais):
        transform.set_random_state(3)
    for seed in range(10):
        image = torch.randn(1, 9, 8, 7, generator=torch.Generator().manual_seed(seed))
        expected = torch.as_tensor(monais({"image": image})["image"])
        torch.testing.assert_close(ours({"image": image})["image"], expected, atol=1e-5, rtol=0)


def test_a_volume_of_ones_keeps_its_inside() -> None:
    """4 sigma hold all but 6e-5 of a Gaussian's mass, on each axis."""
    inside = smoothed(torch.ones(1, 21, 21, 21), (1.0, 1.0, 1.0))[0, 8:-8, 8:-8, 8:-8]
    torch.testing.assert_close(inside, torch.ones_like(inside), atol=2e-4, rtol=0)
