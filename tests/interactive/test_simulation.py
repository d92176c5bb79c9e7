"""Simulated clicks of a training batch against an annotator who is played step by step."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from adw_components.errors import UserError
from adw_components.interactive.iteration import GuidedIteration
from adw_components.interactive.simulation import NoClicks, SimulatedClicks
from adw_components.networks import AdwUNet
from adw_components.reference import nnunet_default

SHAPE = (16, 16, 16)
STRIDES, KERNELS = [[1, 1, 1], [2, 2, 2]], [[3, 3, 3]] * 2


def batch(size: int = 2, channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    label = torch.zeros(size, 1, *SHAPE)
    for index in range(size):
        label[index, :, 2 + index : 8 + index, 3:9, 3:9] = 1
        label[index, :, 9:13, 10:14, 10:14] = 2
    return torch.randn(size, channels, *SHAPE, generator=generator), label


def background(x: torch.Tensor) -> torch.Tensor:
    """A network that always says background."""
    logits = torch.zeros(len(x), 3, *x.shape[2:])
    logits[:, 0] = 1
    return logits


def follows(x: torch.Tensor) -> torch.Tensor:
    """A network that takes the clicked class in the 5 voxels around a click, else background."""
    guidance = torch.nn.functional.max_pool3d((x[:, -3:] == 1).float(), 5, stride=1, padding=2)
    guidance[:, 0] = 0.5
    return guidance


def truth_of(x: torch.Tensor, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Logits of a network that is always right: it knows its cases by their image."""
    indices = [next(index for index, item in enumerate(image) if torch.equal(item, row[:1])) for row in x]
    return torch.nn.functional.one_hot(label[indices, 0].long(), 3).movedim(-1, 1).float()


def peaks(guidance: torch.Tensor) -> list[list[tuple[int, ...]]]:
    """The clicked voxels of a sample's guidance channels (classes, *spatial)."""
    return [[tuple(row) for row in torch.nonzero(channel == 1).tolist()] for channel in guidance]


def test_no_clicks_is_zero() -> None:
    image, label = batch()
    assert not NoClicks(n_classes=3)(image, label, background).any()


def test_the_automatic_share_has_no_clicks() -> None:
    image, label = batch(size=1)
    simulate = SimulatedClicks(n_classes=3, automatic_share=0.3, max_corrections=1)
    torch.manual_seed(0)
    empty = [not simulate(image, label, background).any() for _ in range(300)]
    assert np.mean(empty) == pytest.approx(0.3, abs=0.08)
    always = SimulatedClicks(n_classes=3, automatic_share=1)
    assert not any(always(image, label, background).any() for _ in range(20))


def test_samples_of_a_batch_are_drawn_apart() -> None:
    image, label = batch(size=4)
    simulate = SimulatedClicks(n_classes=3, automatic_share=0.5)
    torch.manual_seed(0)
    clicked = [tuple(bool(item.any()) for item in simulate(image, label, background)) for _ in range(30)]
    assert len(set(clicked)) > 8


def test_seeds_are_one_in_every_foreground_class() -> None:
    image, label = batch()
    simulate = SimulatedClicks(n_classes=3, automatic_share=0, seed_share=1, max_corrections=1)
    torch.manual_seed(0)
    for _ in range(20):
        # Everything is predicted right, so that only seeds are left.
        guidance = simulate(image, label, lambda x: truth_of(x, image, label))
        for item, truth in zip(guidance, label, strict=True):
            found = peaks(item)
            assert [len(points) for points in found] == [0, 1, 1]
            assert [truth[0][points[0]].item() for points in found[1:]] == [1, 2]


def test_every_correction_follows_from_the_prediction_with_the_clicks_before() -> None:
    """The network sees one click more every round, always on what it has just got wrong."""
    image, label = batch(size=1)
    simulate = SimulatedClicks(n_classes=3, automatic_share=0, seed_share=0, max_corrections=6)
    seen: list[list[list[tuple[int, ...]]]] = []
    wrong: list[torch.Tensor] = []

    def network(x: torch.Tensor) -> torch.Tensor:
        assert torch.equal(x[:, :1], image)
        seen.append(peaks(x[0, 1:]))
        logits = follows(x)
        wrong.append(logits.argmax(dim=1)[0] != label[0, 0])
        return logits

    torch.manual_seed(0)
    final = peaks(simulate(image, label, network)[0])
    while len(seen) < 5:  # until that many corrections are drawn
        seen.clear()
        wrong.clear()
        final = peaks(simulate(image, label, network)[0])
    states = [*seen, final]
    assert not any(seen[0])
    for before, after, error in zip(states[:-1], states[1:], wrong, strict=True):
        (value, voxel), *more = [
            (value, voxel) for value in range(3) for voxel in after[value] if voxel not in before[value]
        ]
        assert not more and error[voxel] and label[0, 0][voxel] == value


def test_numbers_of_corrections_are_equally_likely() -> None:
    image, label = batch(size=1)
    simulate = SimulatedClicks(n_classes=3, automatic_share=0, seed_share=0, max_corrections=3)
    torch.manual_seed(0)
    counts = [sum(map(len, peaks(simulate(image, label, background)[0]))) for _ in range(150)]
    # Two draws on one voxel count once, so a few have fewer.
    shares = [counts.count(count) / len(counts) for count in (1, 2, 3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.12) and set(counts) <= {1, 2, 3}


def test_the_same_seed_draws_the_same_clicks() -> None:
    image, label = batch()
    simulate = SimulatedClicks(n_classes=3)
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append(simulate(image, label, follows))
    assert torch.equal(*drawn)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"automatic_share": 1.5}, "automatic_share must be a number from 0 to 1, got 1.5"),
        ({"seed_share": "half"}, "seed_share must be a number from 0 to 1, got 'half'"),
        ({"max_corrections": 0}, "max_corrections must be at least 1, got 0"),
        ({"max_corrections": 2.5}, "max_corrections must be a whole number, got 2.5"),
        ({"sigma": 0}, "sigma must be a number of voxels above 0, got 0"),
    ],
)
def test_settings_out_of_range_are_named(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        SimulatedClicks(n_classes=3, **options)


class Engine:
    """What an iteration asks of MONAI's engine."""

    amp, amp_kwargs, non_blocking, to_kwargs = False, {}, False, {}
    state = SimpleNamespace(device="cpu")

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network

    @staticmethod
    def prepare_batch(batchdata: dict, device: str, non_blocking: bool) -> tuple[torch.Tensor, torch.Tensor]:
        return batchdata["image"], batchdata["label"]

    @staticmethod
    def _iteration(engine: "Engine", batchdata: dict) -> dict:
        return batchdata


def test_an_iteration_adds_the_guidance_behind_all_channels_and_leaves_the_network_training() -> None:
    image, label = batch(size=3, channels=4)
    network = AdwUNet(3, 7, 3, nnunet_default(strides=STRIDES, kernel_sizes=KERNELS)).train()
    modes = []

    def guide(image: torch.Tensor, label: torch.Tensor, predict: object) -> torch.Tensor:
        guidance = torch.rand(3, 3, *SHAPE)
        logits = predict(torch.cat([image, guidance], dim=1))  # type: ignore[operator]
        modes.append((network.training, tuple(logits.shape), logits.requires_grad))
        return guidance

    done = GuidedIteration(guide=guide)(Engine(network), {"image": image, "label": label, "case": ["a", "b", "c"]})
    assert torch.equal(done["image"][:, :4], image) and done["image"].shape == (3, 7, *SHAPE)
    assert torch.equal(done["label"], label) and done["case"] == ["a", "b", "c"]
    # One output instead of those of deep supervision, and no gradients; the mode of the network is put back.
    assert modes == [(True, (3, 3, *SHAPE), False)] and network.training
