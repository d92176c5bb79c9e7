"""The networks that a derived one is measured against."""

import pytest
from campaigns.contenders import TOLERANCE, Setting, contenders, randoms, uniform

from adw_components.architecture import Architecture
from adw_components.errors import UserError
from adw_components.search_space import SearchSpace

GEOMETRY = {"strides": ((1, 1, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2)), "kernel_sizes": ((3, 3, 3),) * 4}


@pytest.fixture(scope="module")
def setting() -> Setting:
    """The campaign's on a CPU."""
    space = SearchSpace(**GEOMETRY, base_widths=(4, 6, 8, 10, 12))
    return Setting(space=space, default_width=8, in_channels=1, out_channels=3, patch_size=(40, 56, 40))


def structure(architecture: Architecture) -> list[tuple[int, ...]]:
    return list(architecture.blocks)


def test_default_at_its_own_flops_is_its_own_uniform_scaling(setting: Setting) -> None:
    default = setting.default()
    assert structure(uniform(setting, depth=2, flops=setting.flops(default))) == structure(default)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.7])
def test_uniform_scaling_has_one_depth_one_factor_and_the_flops(setting: Setting, depth: int, ratio: float) -> None:
    flops = ratio * setting.flops(setting.default())
    scaled = uniform(setting, depth=depth, flops=flops)
    factor = scaled.provenance["factor"]
    expected = [(round(factor * block[0]),) * depth for block in setting.default().blocks]
    assert structure(scaled) == expected
    assert setting.flops(scaled) == pytest.approx(flops, rel=0.1)


def test_random_networks_are_of_the_space_differ_and_cost_the_same(setting: Setting) -> None:
    flops = 0.5 * setting.flops(setting.default())
    found = randoms(setting, number=4, flops=flops)
    assert len({str(structure(each)) for each in found}) == 4
    assert all(each in setting.space for each in found)
    assert all(abs(setting.flops(each) / flops - 1) <= TOLERANCE for each in found)
    assert found == randoms(setting, number=4, flops=flops)


def test_flops_that_no_random_network_has(setting: Setting) -> None:
    with pytest.raises(UserError, match=r"0 of 50000 random networks cost 1 FLOPs, but n_random is 2; lower n_random"):
        randoms(setting, number=2, flops=1)


def test_contenders_have_the_flops_aimed_at(setting: Setting) -> None:
    flops = 0.6 * setting.flops(setting.default())
    found = contenders(setting, flops=flops, n_random=2)
    assert list(found) == ["default", "uniform_1", "uniform_2", "uniform_3", "random_1", "random_2"]
    ratios = {name: setting.flops(each) / flops for name, each in found.items()}
    del ratios["default"]
    assert all(ratio == pytest.approx(1, abs=0.1) for ratio in ratios.values()), ratios
