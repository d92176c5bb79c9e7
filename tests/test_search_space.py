"""The search space: counting, sampling, membership, uniform scaling, the ablation's restrictions."""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import search_spaces, space

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.search_space import SearchSpace

PAPER = SearchSpace(strides=((1, 1, 1), *((2, 2, 2),) * 5), kernel_sizes=((3, 3, 3),) * 6)


def candidates(widths: tuple[int, ...], depths: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All candidates of one block."""
    for depth in depths:
        yield from itertools.product(widths, repeat=depth)


def all_architectures(search_space: SearchSpace) -> set[tuple[tuple[int, ...], ...]]:
    """All candidates of a space, enumerated one by one."""
    blocks = [list(candidates(widths, search_space.depths)) for widths in search_space.block_widths]
    return set(itertools.product(*blocks))


def test_paper_space_has_the_papers_counts() -> None:
    assert PAPER.n_candidates_per_block == 155
    assert PAPER.n_blocks == 11
    assert PAPER.n_candidates == 155**11


def test_widths_double_up_to_the_fourth_stage() -> None:
    first = (16, 24, 32, 40, 48)
    factors = (1, 2, 4, 8, 8, 8)
    assert [PAPER.stage_widths(stage) for stage in range(6)] == [tuple(w * f for w in first) for f in factors]
    assert PAPER.stage_widths(3) == (128, 192, 256, 320, 384)


def test_decoder_blocks_have_the_widths_of_their_resolution() -> None:
    assert PAPER.block_stages == (0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0)
    assert PAPER.block_widths[6] == PAPER.stage_widths(4)
    assert PAPER.block_widths[-1] == PAPER.stage_widths(0)


@pytest.mark.parametrize("widths", [(1,), (1, 2), (2, 3, 5)])
@pytest.mark.parametrize("depths", [(1,), (1, 2), (2, 3)])
def test_counts_equal_enumeration(widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
    small = space(n_stages=2, base_widths=widths, depths=depths)
    assert small.n_candidates_per_block == len(set(candidates(widths, depths)))
    if small.n_candidates <= 50_000:
        assert small.n_candidates == len(all_architectures(small))


def test_members_are_exactly_the_enumerated_ones() -> None:
    small = space(n_stages=2, base_widths=(1, 2), depths=(1, 2), n_doublings=1)
    wider = space(n_stages=2, base_widths=(1, 2, 3), depths=(1, 2), n_doublings=1)
    members = {blocks for blocks in all_architectures(wider) if small.architecture(list(blocks)) in small}
    assert members == all_architectures(small)


@settings(deadline=None, max_examples=60)
@given(search_spaces(), st.integers(0, 2**32 - 1))
def test_every_sample_is_a_member_and_depends_on_the_seed_alone(search_space: SearchSpace, seed: int) -> None:
    sample = search_space.sample(seed)
    assert sample in search_space
    assert sample == search_space.sample(seed)
    assert sample.provenance["seed"] == seed


@settings(deadline=None, max_examples=40)
@given(search_spaces())
def test_uniform_scalings_are_distinct_members(search_space: SearchSpace) -> None:
    scalings = list(search_space.uniform_scalings())
    assert all(scaling in search_space for scaling in scalings)
    assert len({scaling.blocks for scaling in scalings}) == len(scalings)
    assert len(scalings) == len(search_space.base_widths) * len(search_space.depths)


def test_samples_reach_every_candidate() -> None:
    small = space(n_stages=2, base_widths=(1, 2), depths=(1, 2))
    drawn = {small.sample(seed).blocks[0] for seed in range(200)}
    assert drawn == set(candidates((1, 2), (1, 2)))
    assert len({small.sample(seed).blocks for seed in range(50)}) > 25


def test_other_geometry_or_another_object_is_no_member() -> None:
    small = space(n_stages=2)
    sample = small.sample(0)
    assert dataclasses.replace(sample, strides=((1, 1), (1, 2))) not in small
    assert dataclasses.replace(sample, kernel_sizes=((3, 3), (1, 3))) not in small
    assert space(n_stages=3).sample(0) not in small
    assert "architecture" not in small


def test_uniform_scaling_has_one_width_index_and_depth() -> None:
    architecture = PAPER.uniform(width=2, depth=2)
    assert architecture.blocks == tuple((32 * 2 ** min(stage, 3),) * 2 for stage in PAPER.block_stages)


@pytest.mark.parametrize(("width", "depth"), [(5, 2), (-1, 2), (0, 0), (0, 4)])
def test_uniform_scaling_outside_the_space_is_refused(width: int, depth: int) -> None:
    with pytest.raises(UserError, match=f"depth {depth} and width {width}"):
        PAPER.uniform(width=width, depth=depth)


@pytest.mark.parametrize(
    ("searched", "widths", "depths", "count"),
    [
        ("both", (16, 24, 32, 40, 48), (1, 2, 3), 155),
        ("depth", (32,), (1, 2, 3), 3),
        ("width", (16, 24, 32, 40, 48), (2,), 25),
    ],
)
def test_restriction_fixes_the_rest_to_its_middle(
    searched: Any, widths: tuple[int, ...], depths: tuple[int, ...], count: int
) -> None:
    restricted = PAPER.restricted(searched)
    assert (restricted.base_widths, restricted.depths) == (widths, depths)
    assert restricted.n_candidates_per_block == count
    assert restricted.sample(0) in PAPER


def test_unknown_restriction_is_refused() -> None:
    with pytest.raises(UserError, match="searched must be both, width or depth"):
        PAPER.restricted("none")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=40)
@given(search_spaces())
def test_record_round_trips(search_space: SearchSpace) -> None:
    again = SearchSpace.from_dict(json.loads(json.dumps(search_space.to_dict())))
    assert again == search_space
    assert again.to_dict() == search_space.to_dict()


@settings(deadline=None, max_examples=20)
@given(search_spaces(), st.integers(0, 99))
def test_architecture_keeps_the_order_of_the_blocks(search_space: SearchSpace, seed: int) -> None:
    blocks = search_space.sample(seed).blocks
    built = search_space.architecture(list(blocks), {"a": 1})
    assert isinstance(built, Architecture)
    assert (built.blocks, built.provenance) == (blocks, {"a": 1})


FIELDS = ("format_version", "strides", "kernel_sizes", "base_widths", "depths", "n_doublings")
MALFORMED = [
    *[(name, value) for name in ("base_widths", "depths") for value in ([], 3, None, "12", [0], [-1], [True], [1.5])],
    *[(name, value) for name in ("base_widths", "depths") for value in ([2, 1], [1, 1], [1, 3, 2])],
    *[("n_doublings", value) for value in (-1, 1.0, True, None, "3")],
    *[("strides", value) for value in ([], [[1, 1, 1]], [[2, 2, 2], [2, 2, 2]], 3, [[1, 1, 1], [2, 2]])],
    *[("kernel_sizes", value) for value in ([], [[3, 3, 3]], [[2, 3, 3]] * 6, [[3, 3]] * 6)],
    *[("format_version", value) for value in (0, 2, "1", True)],
]


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_malformed_field_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(UserError, match=name):
        SearchSpace.from_dict(PAPER.to_dict() | {name: value})


@pytest.mark.parametrize("name", FIELDS)
def test_missing_field_is_refused_by_name(name: str) -> None:
    values = PAPER.to_dict()
    del values[name]
    with pytest.raises(UserError, match=f"lacks.*{name}"):
        SearchSpace.from_dict(values)


def test_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"unknown.*tau"):
        SearchSpace.from_dict(PAPER.to_dict() | {"tau": 5})
