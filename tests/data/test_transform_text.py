"""The text of a transform: the same for the same, different for what differs in any argument."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from monai.transforms import Affined, Compose, Lambdad, LoadImaged, Orientationd, Spacingd

from adw_components.data.transform_text import described

PREPARE = """
from monai.transforms import Compose, LoadImaged, Orientationd, Spacingd
from adw_components.data.transform_text import described
steps = [LoadImaged(keys=["image", "label"]), Orientationd(keys="image", axcodes="RAS", labels=None)]
print(described(Compose([*steps, Spacingd(keys="image", pixdim=(1.0, 1.0, 2.5))]).transforms))
"""


def scale(x: torch.Tensor, factor: float) -> torch.Tensor:
    return x * factor


def twice(offset: int) -> object:
    return lambda x: x + offset


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Lambdad("image", lambda x: x * 2), Lambdad("image", lambda x: x * 3)),
        (Lambdad("image", twice(1)), Lambdad("image", twice(2))),
        (Lambdad("image", partial(scale, factor=2)), Lambdad("image", partial(scale, factor=3))),
        (Affined("image", affine=np.eye(4)), Affined("image", affine=2 * np.eye(4))),
        (Spacingd("image", pixdim=(1, 1, 2)), Spacingd("image", pixdim=(1, 1, 3))),
        (Spacingd("image", pixdim=(1, 1, 2)), Spacingd("label", pixdim=(1, 1, 2))),
        (Spacingd("image", pixdim=1, dtype=torch.float32), Spacingd("image", pixdim=1, dtype=torch.float64)),
        (torch.zeros(3), torch.zeros(1, 3)),
    ],
)
def test_what_differs_has_another_text(one: object, other: object) -> None:
    assert described(one) == described(one)
    assert described(one) != described(other)


def test_two_processes_give_the_same_text() -> None:
    texts = {
        subprocess.run([sys.executable, "-W", "ignore", "-c", PREPARE], capture_output=True, text=True).stdout
        for _ in range(2)
    }
    steps = [LoadImaged(keys=["image", "label"]), Orientationd(keys="image", axcodes="RAS", labels=None)]
    here = described(Compose([*steps, Spacingd(keys="image", pixdim=(1.0, 1.0, 2.5))]).transforms)
    assert texts == {here + "\n"} and " at 0x" not in here
