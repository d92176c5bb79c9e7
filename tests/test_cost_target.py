"""Targets from settings: ratios against nnU-Net's counted default, names, ranges, and every refusal."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import patch_size, search_spaces

from adw_components.cost import COST_KINDS, CostKind, count
from adw_components.cost_target import CostTarget, cost_target, targets
from adw_components.errors import UserError
from adw_components.reference import nnunet_default
from adw_components.search_space import SearchSpace

SPACE = SearchSpace(strides=((1, 1, 1), *((2, 2, 2),) * 3), kernel_sizes=((3, 3, 3),) * 4)
NETWORK: dict[str, Any] = {"in_channels": 1, "out_channels": 3, "patch_size": (40, 56, 40)}
DEFAULT = nnunet_default(strides=SPACE.strides, kernel_sizes=SPACE.kernel_sizes)


def read(given: Any) -> CostTarget:
    """The target in the space of these tests."""
    return cost_target(given, search_space=SPACE, **NETWORK)


@pytest.mark.parametrize("kind", COST_KINDS)
@pytest.mark.parametrize(("ratio", "digits"), [(0.5, "0.5"), (1, "1"), (1.5, "1.5"), (1 / 3, "0.333333")])
def test_number_below_100_is_a_ratio_to_the_default_of_nnunet(kind: CostKind, ratio: float, digits: str) -> None:
    target = read({kind: ratio})
    assert target.value == ratio * count(kind, DEFAULT, **NETWORK)
    assert (target.kind, target.ratio, target.name) == (kind, ratio, f"{kind}_{digits}")


@pytest.mark.parametrize("number", [4000000, 4e6, 4000000.3])
def test_other_numbers_are_the_cost_itself(number: float) -> None:
    target = read({"parameters": number})
    assert target == CostTarget(kind="parameters", value=number, ratio=None, name="parameters_4000000")


def test_target_is_plain_json() -> None:
    written = json.loads(json.dumps(read({"flops": 0.5}).to_dict()))
    assert written == {
        "kind": "flops",
        "value": 0.5 * count("flops", DEFAULT, **NETWORK),
        "ratio": 0.5,
        "name": "flops_0.5",
    }


@given(search_spaces(), st.sampled_from(COST_KINDS), st.integers(0, 2**16))
def test_what_any_architecture_costs_is_a_target(search_space: SearchSpace, kind: CostKind, seed: int) -> None:
    network = {"in_channels": 1, "out_channels": 2, "patch_size": patch_size(search_space)}
    cost = count(kind, search_space.sample(seed), **network)
    if cost >= 100:
        target = cost_target({kind: cost}, search_space=search_space, **network)
        assert (target.value, target.name) == (cost, f"{kind}_{cost}")


@given(st.floats(0.3, 1.5))
def test_names_are_short_numbers_for_folders(ratio: float) -> None:
    digits = read({"flops": ratio}).name.removeprefix("flops_")
    assert re.fullmatch(r"\d(\.\d{0,6}[1-9])?", digits)
    assert float(digits) == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize(
    ("given_target", "message"),
    [
        (0.5, r"target must be one kind of cost and a number, such as \"\{'flops': 0.5\}\", got 0.5"),
        ("flops", "target must be one kind of cost and a number"),
        ({}, "target must be one kind of cost and a number"),
        ({"flops": 0.5, "memory": 1}, "target must be one kind of cost and a number"),
        ({"flop": 0.5}, r"target must name one of flops, parameters, memory, got 'flop'; did you mean flops\?"),
        ({"FLOPs": 0.5}, r"got 'FLOPs'; did you mean flops\?"),
        ({"seconds": 2}, r"target must name one of flops, parameters, memory, got 'seconds', such as"),
        ({3: 2}, "target must name one of flops, parameters, memory, got 3"),
        *[
            ({"flops": number}, "target must be a number above 0 for flops, such as .*, got ")
            for number in (0, -1, True, None, "0.5", [0.5], float("nan"), float("inf"))
        ],
    ],
)
def test_malformed_target_is_refused_in_one_line(given_target: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        read(given_target)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", COST_KINDS)
@pytest.mark.parametrize("end", ["smallest", "largest"])
def test_target_out_of_reach_is_refused_with_the_range(kind: CostKind, end: str) -> None:
    ends = {"smallest": SPACE.uniform(width=0, depth=1), "largest": SPACE.uniform(width=4, depth=3)}
    costs = {name: count(kind, architecture, **NETWORK) for name, architecture in ends.items()}
    assert read({kind: costs[end]}).value == costs[end]
    beyond = costs[end] + (1 if end == "largest" else -1)
    with pytest.raises(UserError) as error:
        read({kind: beyond})
    text = str(error.value)
    assert text.startswith(f"target is out of reach with {kind} {beyond}: architectures of this search space have ")
    assert f"{costs['smallest']} to {costs['largest']} " in text
    assert text.endswith("; change target, base_widths or depths")
    low, high = re.search(r"([\d.]+) to ([\d.]+) times nnU-Net's default network;", text).groups()
    default = count(kind, DEFAULT, **NETWORK)
    assert float(low) == pytest.approx(costs["smallest"] / default, rel=0.01)
    assert float(high) == pytest.approx(costs["largest"] / default, rel=0.01)
    # What the message gives is within reach.
    for ratio in (low, high):
        assert read({kind: float(ratio)}).ratio == float(Decimal(ratio))


def test_neither_key_is_no_target() -> None:
    assert targets(search_space=SPACE, **NETWORK) == ()


def test_target_is_one_target() -> None:
    assert targets(target={"memory": 0.8}, search_space=SPACE, **NETWORK) == (read({"memory": 0.8}),)


@pytest.mark.parametrize("ratios", [0.5, [0.5], (1, 0.5, 0.75)])
def test_ratios_are_targets_in_their_order(ratios: Any) -> None:
    expected = tuple(read({"flops": ratio}) for ratio in (ratios if isinstance(ratios, list | tuple) else [ratios]))
    assert targets(target_flops_ratio=ratios, search_space=SPACE, **NETWORK) == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"target": {"flops": 1}, "target_flops_ratio": 1}, "both given; a search takes one of them"),
        ({"target_flops_ratio": []}, "target_flops_ratio must be a number above 0 and below 100"),
        ({"target_flops_ratio": "0.5"}, "target_flops_ratio must be a number above 0 and below 100"),
        ({"target_flops_ratio": [0.5, "1"]}, "target_flops_ratio must be a number above 0 and below 100"),
        ({"target_flops_ratio": {"flops": 1}}, "target_flops_ratio must be a number above 0 and below 100"),
        ({"target_flops_ratio": 1e9}, "a number of FLOPs is given as target"),
        ({"target_flops_ratio": False}, "target_flops_ratio must be a number above 0 and below 100"),
        ({"target_flops_ratio": [0.5, 1, 0.5]}, r"target_flops_ratio must hold distinct numbers, got \[0.5, 1, 0.5\]"),
        ({"target_flops_ratio": [1, 1.00000001]}, "target_flops_ratio must hold distinct numbers"),
        (
            {"target_flops_ratio": [0.5, 50]},
            "target_flops_ratio is out of reach with flops 50 times nnU-Net's default network: ",
        ),
        ({"target": []}, r"target must be one kind of cost and a number, such as .*, got \[\]"),
    ],
)
def test_malformed_keys_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        targets(**keys, search_space=SPACE, **NETWORK)
