"""Normalization by channel against numpy's arithmetic."""

import numpy as np
import pytest
import torch

from adw_components.data.intensity import NormalizeChannelsd
from adw_components.errors import UserError

CT = {"scheme": "ct", "low": -42.0, "high": 176.0, "mean": 93.0, "std": 40.0}


def image(channels: int) -> torch.Tensor:
    values = torch.randint(-1000, 1000, (channels, 6, 5, 4), generator=torch.Generator().manual_seed(0))
    values[:, :2] = 0
    return values.to(torch.int16)


def test_every_channel_has_its_own_scheme() -> None:
    x = image(3)
    rows = [CT, {"scheme": "z_score", "nonzero": True}, {"scheme": "z_score", "nonzero": False}]
    y = NormalizeChannelsd(keys="image", channels=rows)({"image": x, "other": 1})["image"].numpy()
    a = x.numpy().astype(np.float64)
    np.testing.assert_allclose(y[0], (a[0].clip(-42, 176) - 93) / 40, atol=1e-5)
    inside = a[1] != 0
    np.testing.assert_allclose(y[1][inside], ((a[1] - a[1][inside].mean()) / a[1][inside].std())[inside], atol=1e-5)
    assert not y[1][~inside].any()
    np.testing.assert_allclose(y[2], (a[2] - a[2].mean()) / a[2].std(), atol=1e-5)
    assert y.dtype == np.float32


def test_the_given_image_is_left_as_it_is() -> None:
    x = image(1).float()
    before = x.clone()
    NormalizeChannelsd(keys="image", channels=[CT])({"image": x})
    assert torch.equal(x, before)


def test_wrong_channels_are_one_line() -> None:
    with pytest.raises(UserError, match="got 1 for 2 channel"):
        NormalizeChannelsd(keys="image", channels=[CT])({"image": image(2)})
    with pytest.raises(UserError, match="must be a list"):
        NormalizeChannelsd(keys="image", channels="ct")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="low < high"):
        NormalizeChannelsd(keys="image", channels=[{**CT, "low": 200.0}])
