"""Headers that lie: one line for the check, the planner and the loader, before a voxel is read."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from adw_components.data.check import check_cases, check_images
from adw_components.data.headers import form_warning, spacing_problem, voxels_apart
from adw_components.data.loading import LoadSoundImaged
from adw_components.data.volumes import Report, Task, read_image
from adw_components.errors import UserError

SHAPE = (12, 14, 10)
LPS = np.diag([-1.0, -1, 1, 1])
BUNDLE: dict[str, Any] = {"in_channels": 1, "spacing": [1.0, 1.0, 1.0], "normalization": [{"scheme": "z_score"}]}


def saved(path: Path, affine: np.ndarray = LPS, dtype: Any = np.int16) -> Path:
    """A sound image: a block of noise."""
    voxels = np.random.default_rng(0).integers(1, 900, SHAPE).astype(dtype)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    return path


def patch(path: Path, offset: int, content: bytes) -> None:
    """Overwrite bytes of a header."""
    compressed = path.name.endswith(".gz")
    data = bytearray(gzip.decompress(path.read_bytes()) if compressed else path.read_bytes())
    data[offset : offset + len(content)] = content
    path.write_bytes(gzip.compress(bytes(data)) if compressed else bytes(data))


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def dims(*sizes: int) -> bytes:
    return struct.pack(f"<{len(sizes) + 1}h", len(sizes), *sizes)


def scaled(factor: float) -> Callable[[Path], None]:
    """An affine whose rows and sizes are `factor` times the true ones."""

    def change(path: Path) -> None:
        saved(path, LPS * np.array([[factor], [factor], [factor], [1]]))

    return change


def in_unit(unit: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        image = nibabel.Nifti1Image(np.asanyarray(nibabel.load(path).dataobj), LPS)
        image.header.set_xyzt_units(unit)
        nibabel.save(image, path)

    return change


def flat(path: Path) -> None:
    """Both codes 0, and an axis of no size."""
    patch(path, 252, struct.pack("<2h", 0, 0))
    patch(path, 76, floats(1, 1, 0, 1))


LIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "NaN": (lambda path: patch(path, 280, floats(np.nan)), "the affine holds NaN; mend the header"),
    "infinity": (lambda path: patch(path, 284, floats(np.inf)), "the affine holds an infinite number; mend the header"),
    "zero column": (
        lambda path: patch(path, 312, bytes(16)),
        "the affine has no direction for some axis; mend the header",
    ),
    "two parallel axes": (
        lambda path: patch(path, 280, floats(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)),
        "the affine has no direction for some axis; mend the header",
    ),
    "zero size": (flat, "the affine has no direction for some axis; mend the header"),
    "axis of no voxel": (
        lambda path: patch(path, 40, dims(12, 0, 10)),
        "an axis has no voxel (shape (12, 0, 10)); mend the header or export the image again",
    ),
    "micrometres in the sizes": (
        scaled(1000),
        "spacing 1000 x 1000 x 1000 mm is far from the bundle's 1 x 1 x 1 mm; mend the sizes in the header, which must "
        "be in mm",
    ),
    "metres in the sizes": (scaled(1e-3), "spacing 0.001 x 0.001 x 0.001 mm is far from the bundle's 1 x 1 x 1 mm; "),
    "micrometres as unit": (
        in_unit("micron"),
        "the header gives sizes in micrometres (1 x 1 x 1); convert the header to millimetres",
    ),
    "metres as unit": (in_unit("meter"), "the header gives sizes in metres (1 x 1 x 1); convert the header"),
    "one axis of 3000 mm": (
        lambda path: saved(path, np.diag([1.0, 3000, 1, 1])) and None,
        "spacing 1 x 3000 x 1 mm is far from the bundle's 1 x 1 x 1 mm; ",
    ),
    "more voxels than bytes": (
        lambda path: patch(path, 40, dims(30000, 30000, 30000)),
        "cannot be read as NIfTI: shape (30000, 30000, 30000) takes 54000000000000 bytes, but the file holds at most ",
    ),
    "negative axis": (lambda path: patch(path, 40, dims(12, -14, 10)), "an axis has no voxel (shape (12, -14, 10)); "),
    "colours": (lambda path: patch(path, 70, struct.pack("<2h", 128, 24)), "must be a volume of real numbers, got"),
}


def lines(report: Report) -> list[str]:
    return [str(fault) for fault in report.faults]


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_one_fault_of_the_image_everywhere(tmp_path: Path, name: str) -> None:
    spoil, line = LIES[name]
    image = saved(tmp_path / "a.nii.gz")
    spoil(image)
    label = tmp_path / "label.nii.gz"
    label.write_bytes(image.read_bytes())  # as an exporter that lies of both
    (found,) = lines(check_images([{"image": image}], **BUNDLE))
    assert found.startswith(f"{image}: {line}") and "\n" not in found
    of_case = lines(check_cases([{"image": image, "label": label}], labels={str(n): "x" for n in range(900)}, **BUNDLE))
    assert of_case[0] == found
    of_affine = "affine" in line or "spacing" in line or "sizes in" in line
    assert len(of_case) == (1 if of_affine else 2), of_case
    with pytest.raises(UserError) as caught:
        LoadSoundImaged(keys="image", **BUNDLE)({"image": str(image)})
    assert str(caught.value) == found.replace(str(image), image.name)


def test_no_voxel_is_read_before_the_header_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.nii")
    patch(path, 40, dims(2000, 2000, 2000))
    monkeypatch.setattr(nibabel.arrayproxy.ArrayProxy, "__array__", lambda *_, **__: pytest.fail("read"))
    assert "takes 16000000000 bytes" in lines(read_image(path, Task(in_channels=1))[1])[0]


def test_sound_headers_pass(tmp_path: Path) -> None:
    tilted = np.array([[-1.0, 0, 0, 5], [0, -0.87, 0.5, 7], [0, 0.5, 0.87, 9], [0, 0, 0, 1]])
    for name, affine in (("a.nii", LPS), ("b.NII.GZ", tilted), ("c.nii.gz", np.diag([0.1, 0.1, 8, 1]))):
        assert check_images([{"image": saved(tmp_path / name, affine)}], **BUNDLE) == Report()


@pytest.mark.parametrize(
    ("shape", "spacing", "target", "part"),
    [
        ((512, 512, 300), (0.8, 0.8, 2), (0.8, 0.8, 2), None),
        ((512, 512, 900), (0.98, 0.98, 5), (0.7, 0.7, 1.25), None),
        ((1500, 1500, 1500), (0.02, 0.02, 0.02), (0.02, 0.02, 0.02), None),  # large, but no larger than it was
        ((40, 40, 2), (5, 5, 30), (0.5, 0.5, 0.5), None),
        ((512, 512, 300), (20, 20, 20), (0.8, 0.8, 0.8), "give 1.2e+12 voxels at the bundle's 0.8 x 0.8 x 0.8 mm"),
        ((50, 50, 50), (11, 11, 11), (1, 1, 1), "give 1.7e+08 voxels at"),
        ((40, 40, 40), (0.01, 0.01, 0.01), (1, 1, 1), "is far from the bundle's"),
    ],
)
def test_the_grid_after_resampling(shape: tuple, spacing: tuple, target: tuple, part: str | None) -> None:
    problem = spacing_problem(shape, spacing, target, "the bundle's")
    assert (problem is None) if part is None else (problem is not None and part in problem[0])


def test_axes_are_compared_in_the_order_of_the_bundle(tmp_path: Path) -> None:
    """A sagittal stack: the third axis of the bundle is stored first."""
    sagittal = np.array([[0, 1.0, 0, 0], [0, 0, 1.0, 0], [2000.0, 0, 0, 0], [0, 0, 0, 1]])
    image = {"image": saved(tmp_path / "a.nii.gz", sagittal)}
    for target, count in (((1, 1, 2000), 0), ((2000, 1, 1), 1)):
        assert len(check_images([image], in_channels=1, spacing=target).faults) == count


def forms(qform: np.ndarray, codes: tuple[int, int] = (2, 1)) -> nibabel.Nifti1Image:
    image = nibabel.Nifti1Image(np.ones(SHAPE, np.int16), LPS)
    image.set_qform(qform, codes[1])
    image.set_sform(LPS, codes[0])
    return image


@pytest.mark.parametrize(
    ("qform", "codes", "warned"),
    [
        (LPS, (2, 1), False),
        (np.diag([-1.005, -1, 1, 1]), (2, 1), False),  # 0.055 voxels at the far corner
        (np.diag([-1.02, -1, 1, 1]), (2, 1), True),
        (np.diag([1.0, 1, 1, 1]), (2, 1), True),
        (np.diag([1.0, 1, 1, 1]), (2, 0), False),  # the qform has no code, so nobody uses it
    ],
)
def test_two_affines_that_differ_are_a_warning(
    tmp_path: Path, qform: np.ndarray, codes: tuple[int, int], warned: bool
) -> None:
    image = forms(qform, codes)
    assert (form_warning(image.header, SHAPE) is not None) == warned
    nibabel.save(image, tmp_path / "a.nii.gz")
    grid, report = read_image(tmp_path / "a.nii.gz", Task(in_channels=1))
    assert grid is not None and np.array_equal(grid.affine, LPS) and not report.faults
    assert [str(line).split(";")[:2] for line in report.warnings] == (
        [[str(report.warnings[0]).split(";")[0], " the sform is used"]] if warned else []
    )


def test_distance_is_in_voxels_whatever_their_size() -> None:
    small, large = np.diag([0.01, 0.01, 0.01, 1]), np.diag([10.0, 10, 10, 1])
    for affine in (small, large):
        other = affine.copy()
        other[1, 3] += affine[1, 1] / 4
        assert voxels_apart(affine, other, SHAPE) == pytest.approx(0.25)
