"""Shapes against their volumes, fields against scipy's splines, slabs against the whole."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from adw_components.phantoms import grid as grid_module
from adw_components.phantoms.fields import _interpolate, smooth_field
from adw_components.phantoms.grid import Grid, Points, Space
from adw_components.phantoms.scanner import CT
from adw_components.phantoms.scene import Scene, Structure, draw
from adw_components.phantoms.shapes import Capsule, Ellipsoid, Inside, Shape, Union
from adw_components.phantoms.uneven import Loops, Rough

N = 64
BALL = Ellipsoid((0.1, 0.0, -0.1), (0.5, 0.5, 0.5))
EGG = Ellipsoid((0.0, 0.1, 0.0), (0.6, 0.3, 0.4), (20.0, -30.0, 70.0))
TUBE = Capsule((-0.5, -0.1, 0.0), (0.5, 0.2, 0.3), 0.2, 0.2)


@pytest.fixture(scope="module")
def points() -> Points:
    axis = ((np.arange(N) + 0.5) / N * 2 - 1).astype(np.float32)
    rng = np.random.default_rng(0)
    fields = [smooth_field((N, N, N), knots, rng).slab(0, N) for knots in (8, 16)]
    return Points(*np.meshgrid(axis, axis, axis, indexing="ij"), *fields)


def share(shape: Shape, points: Points) -> float:
    """Volume in scene units."""
    return float((shape.distance(points) < 0).mean() * 8)


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        (BALL, 4 / 3 * np.pi * 0.5**3),
        (EGG, 4 / 3 * np.pi * 0.6 * 0.3 * 0.4),
        (Ellipsoid((0, 0, 0), (0.5, 0.2, 0.3), bend=(0.2, -0.1)), 4 / 3 * np.pi * 0.5 * 0.2 * 0.3),  # shear keeps it
        (Ellipsoid((0, 0, 0), (0.5, 0.3, np.inf)), 2 * np.pi * 0.5 * 0.3),
        (TUBE, np.pi * 0.2**2 * np.sqrt(1.18) + 4 / 3 * np.pi * 0.2**3),
        (Capsule((0, 0, 0), (0, 0, 0), 0.2, 0.2, (1, 1, 2)), 4 / 3 * np.pi * 0.2 * 0.2 * 0.4),
    ],
)
def test_shapes_have_the_volume_of_the_formula(shape: Shape, volume: float, points: Points) -> None:
    assert share(shape, points) == pytest.approx(volume, rel=0.02)


@pytest.mark.parametrize("shape", [BALL, EGG, TUBE, Union([BALL, TUBE]), Rough(EGG, 0.02, 0.02), Inside(TUBE, BALL)])
def test_no_point_lies_outside_of_its_box(shape: Shape, points: Points) -> None:
    inside = shape.distance(points) < 0
    low, high = shape.box
    for axis, least, most in zip((points.x, points.y, points.z), low, high, strict=True):
        assert least <= axis[inside].min() and axis[inside].max() <= most


def test_set_operations(points: Points) -> None:
    ball, tube = (shape.distance(points) < 0 for shape in (BALL, TUBE))
    assert np.array_equal(Union([BALL, TUBE]).distance(points) < 0, ball | tube)
    assert np.array_equal(Inside(TUBE, BALL).distance(points) < 0, ball & tube)
    assert np.array_equal(Loops(0.5).distance(points) < 0, points.lumps > 0.5)


def test_fields_are_cubic_splines_of_standard_deviation_1() -> None:
    field = smooth_field((64, 48, 40), 12, np.random.default_rng(3))
    whole = field.slab(0, 40)
    assert whole.std() == pytest.approx(1, abs=0.1)
    assert np.array_equal(np.concatenate([field.slab(0, 7), field.slab(7, 40)], axis=2), whole)
    knots = np.random.default_rng(1).standard_normal((1, 1, 15)).astype(np.float32)
    at = (np.arange(40) + 0.5) / 40 * 12 + 1  # the splines' first knot lies one before the volume
    expected = map_coordinates(knots[0, 0], [at], order=3, prefilter=False)
    assert np.allclose(_interpolate(knots, np.arange(40), 40, axis=2)[0, 0], expected, atol=1e-5)


def scene(rng: np.random.Generator) -> Scene:
    structures = [Structure(shape=BALL, value=(50.0,), label=1), Structure(shape=TUBE, value=(200.0,), label=2)]
    return Scene(background=(-1000.0,), structures=structures, unit=(1.0,), scanners=(CT(0.0, rng),), bend=0.05)


def drawn(shape: tuple[int, int, int] = (40, 32, 24), mirrored: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    grid = Grid(shape=shape, lower=(-1.0, -1.0, -1.0), upper=(1.0, 1.0, 1.0), mirrored=mirrored)
    return draw(scene(rng), grid, rng, image_type="int16", label_type="uint8")


def test_slabs_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    image, label = drawn()
    monkeypatch.setattr(grid_module, "_SLAB_VOXELS", 1)
    slabs = drawn()
    assert np.array_equal(slabs[0], image) and np.array_equal(slabs[1], label)


def test_labels_and_values_agree() -> None:
    image, label = drawn()
    assert set(np.unique(label)) == {0, 1, 2}
    core = {value: np.median(image[label == value]) for value in (1, 2)}
    assert core == {1: 50, 2: 200}
    assert (image[label == 2] > 0).mean() > 0.8  # the rim fades into air


def test_a_mirrored_grid_runs_from_right_to_left() -> None:
    grids = [
        Grid(shape=(4, 4, 4), lower=(-1.0, -1.0, -1.0), upper=(1.0, 1.0, 1.0), mirrored=mirrored)
        for mirrored in (False, True)
    ]
    assert np.array_equal(grids[0].axes[0], grids[1].axes[0][::-1])
    assert np.array_equal(grids[0].axes[1], grids[1].axes[1])


@pytest.mark.parametrize("shape", [BALL, TUBE])
def test_regions_miss_no_voxel_of_a_bent_shape(shape: Shape) -> None:
    grid = Grid(shape=(30, 30, 30), lower=(-1.0, -1.0, -1.0), upper=(1.0, 1.0, 1.0))
    space = Space.random(grid, 0.1, np.random.default_rng(0))
    inside = shape.distance(space.points(0, 30)) < 0
    region = space.region(*shape.box, 0, 30)
    assert region is not None
    assert inside[region].sum() == inside.sum() > 0


def test_a_shape_beyond_the_volume_has_no_region() -> None:
    grid = Grid(shape=(8, 8, 8), lower=(-1.0, -1.0, -1.0), upper=(1.0, 1.0, 1.0))
    space = Space.random(grid, 0.0, np.random.default_rng(0))
    assert space.region((2.0, 0.0, 0.0), (3.0, 1.0, 1.0), 0, 8) is None


def test_without_takes_structures_away() -> None:
    rng = np.random.default_rng(0)
    kept: Callable[..., Scene] = scene(rng).without
    assert [structure.label for structure in kept(1).structures] == [2]
    assert [structure.label for structure in kept(1, 2).structures] == []
