"""Retraining from the supernet's weights: what is taken over, and what is refused."""

from pathlib import Path

import pytest
import torch
from ignite.engine import Engine, Events
from tiny import CLASSES, patch_size, randomize_norms, space, supernet

from adw_components.errors import UserError
from adw_components.networks import AdwUNet, AdwUNetSupernet
from adw_components.retrain import InheritWeights, require_supernet, supernet_beside

SPACE = space(n_stages=2)
ARCHITECTURE = SPACE.sample(4)


@pytest.fixture
def searched(tmp_path: Path) -> tuple[AdwUNetSupernet, Path]:
    """A supernet and the file that a search would write of it."""
    network = supernet(SPACE)
    randomize_norms(network)
    path = tmp_path / "supernet.pt"
    torch.save(network.state_dict(), path)
    return network, path


def checked(path: Path, *, in_channels: int = 1, out_channels: int = CLASSES) -> None:
    """The check before a run."""
    require_supernet(
        supernet_path=path,
        architecture=ARCHITECTURE,
        in_channels=in_channels,
        out_channels=out_channels,
        output_dir=path.parent / "train",
    )


def started(path: Path, output_dir: Path) -> AdwUNet:
    """The network of a run in `output_dir` as its first iteration finds it."""
    torch.manual_seed(0)
    network = AdwUNet(2, 1, CLASSES, ARCHITECTURE)
    engine = Engine(lambda *_: None)
    InheritWeights(network=network, supernet_path=path, architecture=ARCHITECTURE, output_dir=output_dir).attach(engine)
    engine.fire_event(Events.STARTED)
    return network


def test_network_starts_with_the_supernets_weights(searched: tuple[AdwUNetSupernet, Path]) -> None:
    source, path = searched
    network = started(path, path.parent / "train")
    checked(path)
    images = torch.randn(1, 1, *patch_size(SPACE))
    expected = source.inherit(ARCHITECTURE)
    torch.testing.assert_close(network.eval()(images), expected.eval()(images), rtol=0, atol=0)


def test_supernet_lies_beside_the_architecture() -> None:
    assert supernet_beside(architecture_path="runs/search/flops_0.5/architecture.json") == (
        "runs/search/flops_0.5/supernet.pt"
    )


def test_missing_supernet_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the supernet .*supernet\.pt, which does not exist; give"):
        checked(tmp_path / "supernet.pt")


def test_weights_of_a_retraining_are_no_supernet(tmp_path: Path) -> None:
    torch.save(AdwUNet(2, 1, CLASSES, ARCHITECTURE).state_dict(), tmp_path / "model.pt")
    with pytest.raises(UserError, match=r"model\.pt holds no supernet of a search; give the supernet\.pt"):
        checked(tmp_path / "model.pt")


def test_architecture_of_another_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "supernet.pt"
    torch.save(supernet(space(n_stages=2, base_widths=(5, 6))).state_dict(), path)
    with pytest.raises(UserError, match=r"not in the search space of .*give the architecture\.json beside it"):
        checked(path)


def test_search_of_another_bundle_is_refused(searched: tuple[AdwUNetSupernet, Path]) -> None:
    with pytest.raises(UserError, match=r"takes 1 channel\(s\) and tells 3 classes apart, this bundle 2 and 3"):
        checked(searched[1], in_channels=2)


def test_a_run_that_goes_on_needs_no_supernet(tmp_path: Path) -> None:
    torch.manual_seed(0)
    expected = AdwUNet(2, 1, CLASSES, ARCHITECTURE).state_dict()
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "checkpoint.pt").touch()
    gone = tmp_path / "supernet.pt"
    checked(gone)
    found = started(gone, tmp_path / "train").state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_two_starts_are_refused(searched: tuple[AdwUNetSupernet, Path]) -> None:
    source = {"supernet_path": searched[1], "architecture": ARCHITECTURE, "output_dir": searched[1].parent}
    with pytest.raises(UserError, match="inherit and fine_tuning each say from which weights to start"):
        require_supernet(**source, in_channels=1, out_channels=CLASSES, fine_tunes=True)


def test_a_file_that_holds_something_else_is_no_supernet(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(UserError, match=r"list\.pt holds no supernet of a search"):
        checked(tmp_path / "list.pt")
