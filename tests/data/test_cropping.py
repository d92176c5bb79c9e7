"""The region of an image that is not 0."""

import torch

from adw_components.data.cropping import is_nonzero


def test_what_is_not_zero_and_everything_of_an_empty_image() -> None:
    image = torch.zeros(1, 4, 4)
    assert is_nonzero(image).all()
    image[0, 1, 2] = -5
    assert is_nonzero(image).sum() == 1
