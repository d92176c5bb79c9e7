"""The derived network: shapes, deep supervision, TorchScript, and a state dict that knows its architecture."""

import dataclasses
import io
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from tiny import architectures, patch_size, randomize_norms, space

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.networks import AdwUNet
from adw_components.networks.record_buffer import record_of

SMALL = space().sample(1)


def network(architecture: Architecture = SMALL, *, seed: int = 0, deep_supervision: bool = True) -> AdwUNet:
    """One image channel, three classes, norms away from their start."""
    torch.manual_seed(seed)
    built = AdwUNet(architecture.spatial_dims, 1, 3, architecture, deep_supervision)
    randomize_norms(built, seed=seed)
    return built


@settings(deadline=None, max_examples=20)
@given(architectures())
def test_output_has_the_size_of_the_input_and_levels_that_of_their_stage(architecture: Architecture) -> None:
    size = patch_size(architecture)
    x = torch.randn(2, 1, *size)
    built = network(architecture)
    assert built.eval()(x).shape == (2, 3, *size)
    expected = [size]
    for stride in architecture.strides[1:-1]:
        expected.append(tuple(length // step for length, step in zip(expected[-1], stride, strict=True)))
    outputs = built.train()(x)
    assert [tuple(level.shape) for level in outputs] == [(2, 3, *level) for level in expected]


def test_anisotropic_strides_halve_only_their_axes() -> None:
    architecture = Architecture(
        encoder_widths=((2,), (3,), (4,)),
        decoder_widths=((3,), (2,)),
        strides=((1, 1, 1), (2, 2, 1), (2, 1, 2)),
        kernel_sizes=((3, 3, 1), (3, 3, 3), (1, 3, 3)),
    )
    outputs = network(architecture).train()(torch.randn(1, 1, 8, 6, 4))
    assert [tuple(level.shape[2:]) for level in outputs] == [(8, 6, 4), (4, 3, 4)]


def test_full_resolution_output_is_the_same_in_all_modes() -> None:
    x = torch.randn(2, 1, 16, 16)
    levels = network().train()(x)
    assert isinstance(levels, list)
    assert torch.equal(levels[0], network().eval()(x))
    assert torch.equal(levels[0], network(deep_supervision=False).train()(x))


@pytest.mark.parametrize("architecture", [SMALL, space(spatial_dims=3, n_stages=2).sample(2)])
def test_torchscript_gives_the_same_logits(architecture: Architecture) -> None:
    built = network(architecture).eval()
    x = torch.randn(2, 1, *patch_size(architecture))
    with torch.no_grad():
        expected = built(x)
        for compiled in (torch.jit.script(built), torch.jit.trace(built, x)):
            torch.testing.assert_close(compiled(x), expected, rtol=0, atol=1e-6)


def test_scripted_network_survives_a_file() -> None:
    built = network().eval()
    x = torch.randn(1, 1, 16, 16)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(built), buffer)
    buffer.seek(0)
    torch.testing.assert_close(torch.jit.load(buffer)(x), built(x), rtol=0, atol=1e-6)


def test_state_dict_round_trips_through_weights_only_loading(tmp_path: Path) -> None:
    built, other = network(seed=0).eval(), network(seed=1).eval()
    torch.save(built.state_dict(), tmp_path / "model.pt")
    stored = torch.load(tmp_path / "model.pt", weights_only=True)
    assert record_of(stored) == SMALL.structure()
    other.load_state_dict(stored)
    x = torch.randn(1, 1, 16, 16)
    assert torch.equal(other(x), built(x))


def test_provenance_does_not_count_for_a_checkpoint() -> None:
    network(dataclasses.replace(SMALL, provenance={"from": "elsewhere"})).load_state_dict(network().state_dict())


def test_state_dict_of_another_architecture_is_refused() -> None:
    kernels = dataclasses.replace(SMALL, kernel_sizes=((3, 3), (3, 3), (1, 1)))
    with pytest.raises(UserError, match=r"another architecture \(kernel_sizes: checkpoint .*, network .*\)"):
        network(SMALL).load_state_dict(network(kernels).state_dict())


def test_difference_names_every_field_that_differs() -> None:
    with pytest.raises(UserError, match=r"decoder_widths: checkpoint .*encoder_widths: checkpoint"):
        network(SMALL).load_state_dict(network(space().uniform(width=0, depth=1)).state_dict())


def test_state_dict_without_a_record_has_none() -> None:
    assert record_of({"weight": torch.zeros(1)}) is None


def test_architecture_may_be_a_path(tmp_path: Path) -> None:
    SMALL.save(tmp_path / "architecture.json")
    built = AdwUNet(2, 1, 3, tmp_path / "architecture.json")
    assert record_of(built.state_dict()) == SMALL.structure()


def test_wrong_number_of_axes_is_refused() -> None:
    with pytest.raises(UserError, match="architecture has 2 spatial axes, spatial_dims is 3"):
        AdwUNet(3, 1, 3, SMALL)


def test_every_weight_gets_a_gradient() -> None:
    built = network().train()
    sum(level.square().sum() for level in built(torch.randn(2, 1, 16, 16))).backward()
    assert all(parameter.grad is not None for parameter in built.parameters())
