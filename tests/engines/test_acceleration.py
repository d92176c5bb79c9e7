"""Switches that change how fast a pass is, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from tiny import loss_function, random_batch, space, supernet
from torch import nn

from adw_components.engines.acceleration import accelerate, autocast_options
from adw_components.errors import UserError


@pytest.fixture(autouse=True)
def kept_benchmark() -> Iterator[None]:
    """The switch of the process, left as it was."""
    before = torch.backends.cudnn.benchmark
    yield
    torch.backends.cudnn.benchmark = before


def gradients(network: nn.Module) -> list[torch.Tensor]:
    """Those of one training pass with seeded noise."""
    torch.manual_seed(3)
    images, labels = random_batch((8, 8), cases=2, seed=1)
    loss_function()(network(images), labels).backward()
    return [parameter.grad for parameter in network.parameters()]


def test_a_compiled_supernet_draws_the_same_noise_and_has_the_same_gradients() -> None:
    """By the compiler's first half; its second half, which writes machine code, takes minutes."""
    small = space(n_stages=2, base_widths=(2, 4), depths=(1, 2))
    eager, compiled = supernet(small).train(), supernet(small).train()
    accelerate(network=compiled, compile="true", cudnn_benchmark=False, backend="aot_eager")
    assert compiled._compiled_call_impl is not None
    torch.testing.assert_close(gradients(compiled), gradients(eager), rtol=1e-4, atol=1e-6)
    assert list(compiled.state_dict()) == list(eager.state_dict())


@pytest.mark.parametrize("wanted", [True, False])
def test_cudnn_benchmark_is_set(wanted: bool) -> None:
    network = nn.Linear(1, 1)
    accelerate(network=network, compile=False, cudnn_benchmark=wanted)
    assert torch.backends.cudnn.benchmark is wanted
    assert network._compiled_call_impl is None


def test_numbers_too_small_for_a_normal_float_are_flushed_in_every_thread() -> None:
    """In a process of its own, which has not started its threads."""
    code = (
        "import torch; from adw_components.engines.acceleration import flush_tiny_numbers\n"
        "torch.set_num_threads(2); tiny = lambda: int((torch.full((1 << 20,), 1.2e-38) / 2 > 0).sum())\n"
        "{}; print(tiny())"
    )
    counts = [
        subprocess.run([sys.executable, "-c", code.format(first)], capture_output=True, text=True, check=True).stdout
        for first in ("pass", "flush_tiny_numbers()")
    ]
    assert [int(count) for count in counts] == [1 << 20, 0]


def test_types_of_mixed_precision() -> None:
    assert autocast_options(amp_dtype=None) == {}
    assert autocast_options(amp_dtype="bfloat16") == {"dtype": torch.bfloat16}


@pytest.mark.parametrize("name", ["half", "float32", 16, ["float16"]])
def test_an_unknown_type_is_refused(name: object) -> None:
    with pytest.raises(UserError, match=r"amp_dtype must be float16 or bfloat16.* got"):
        autocast_options(amp_dtype=name)  # type: ignore[arg-type]


def test_a_switch_that_is_neither_on_nor_off_is_refused() -> None:
    with pytest.raises(UserError, match="cudnn_benchmark must be true or false, got 'maybe'"):
        accelerate(network=nn.Linear(1, 1), compile=False, cudnn_benchmark="maybe")
