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
    require_supernet(supernet_path=path, architecture=ARCHITECTURE, in_channels=in_channels, out_channels=out_channels)


def test_network_starts_with_the_supernets_weights(searched: tuple[AdwUNetSupernet, Path]) -> None:
    source, path = searched
    network = AdwUNet(2, 1, CLASSES, ARCHITECTURE)
    engine = Engine(lambda *_: None)
    InheritWeights(network=network, supernet_path=path, architecture=ARCHITECTURE).attach(engine)
    engine.fire_event(Events.STARTED)
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
