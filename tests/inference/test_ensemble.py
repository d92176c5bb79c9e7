"""Several checkpoints as one network, and what is said about one that does not fit."""

from pathlib import Path

import pytest
import torch
from ignite.engine import Engine
from tiny import space

from adw_components.engines.checkpoint import save_torch
from adw_components.errors import UserError
from adw_components.inference.ensemble import CheckpointEnsemble, LoadWeights
from adw_components.networks import AdwUNet

SPACE = space(n_stages=2)


def network(seed: int = 0, sample: int = 1, in_channels: int = 1) -> AdwUNet:
    """A small network with its own weights."""
    torch.manual_seed(seed)
    return AdwUNet(2, in_channels, 3, SPACE.sample(sample)).eval()


def saved(folder: Path, *seeds: int) -> list[Path]:
    """Checkpoints of networks with these seeds."""
    paths = [folder / f"{seed}.pt" for seed in seeds]
    for path, seed in zip(paths, seeds, strict=True):
        save_torch(path, network(seed).state_dict())
    return paths


@torch.no_grad()
def test_ensemble_is_the_mean_of_the_logits(tmp_path: Path) -> None:
    ensemble = CheckpointEnsemble(network(9), saved(tmp_path, 1, 2)).eval()
    ensemble.load()
    x = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(ensemble(x), (network(1)(x) + network(2)(x)) / 2)


@torch.no_grad()
def test_single_path_is_that_network(tmp_path: Path) -> None:
    ensemble = CheckpointEnsemble(network(9), str(saved(tmp_path, 1)[0])).eval()
    ensemble.load()
    x = torch.randn(1, 1, 8, 8)
    assert torch.equal(ensemble(x), network(1)(x))


@torch.no_grad()
def test_checkpoint_of_a_run_holds_the_network_under_its_name(tmp_path: Path) -> None:
    save_torch(tmp_path / "checkpoint.pt", {"network": network(1).state_dict(), "epoch": 3})
    ensemble = CheckpointEnsemble(network(9), tmp_path / "checkpoint.pt").eval()
    ensemble.load()
    x = torch.randn(1, 1, 8, 8)
    assert torch.equal(ensemble(x), network(1)(x))


def test_weights_are_read_when_an_evaluator_starts_not_before(tmp_path: Path) -> None:
    ensemble = CheckpointEnsemble(network(9), tmp_path / "1.pt")
    saved(tmp_path, 1)
    engine = Engine(lambda *_: None)
    LoadWeights(network=ensemble).attach(engine)
    engine.run([0])
    for actual, expected in zip(ensemble.parameters(), network(1).parameters(), strict=True):
        assert torch.equal(actual, expected)


def load(path: Path) -> None:
    """Load one checkpoint into a network."""
    CheckpointEnsemble(network(), path).load()


def test_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    save_torch(tmp_path / "model.pt", network(sample=2).state_dict())
    with pytest.raises(UserError, match=r"model\.pt: the checkpoint belongs to another architecture"):
        load(tmp_path / "model.pt")


def test_checkpoint_with_other_channels_is_refused(tmp_path: Path) -> None:
    save_torch(tmp_path / "model.pt", network(in_channels=2).state_dict())
    with pytest.raises(UserError, match=r"model\.pt does not fit the network \(.*size mismatch.*--architecture_path"):
        load(tmp_path / "model.pt")


def test_second_of_two_checkpoints_is_named(tmp_path: Path) -> None:
    paths = [*saved(tmp_path, 1), tmp_path / "gone.pt"]
    with pytest.raises(UserError, match=r"gone\.pt does not exist"):
        CheckpointEnsemble(network(), paths).load()


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no checkpoint")
    with pytest.raises(UserError, match=r"model\.pt cannot be read"):
        load(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [{"network": 3}, [1, 2], torch.zeros(2), {}])
def test_file_that_holds_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    save_torch(tmp_path / "model.pt", content)
    with pytest.raises(UserError, match=r"model\.pt does not fit the network"):
        load(tmp_path / "model.pt")


def test_no_checkpoint_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="checkpoint_path must name at least one file"):
        CheckpointEnsemble(network(), [])
