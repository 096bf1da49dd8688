"""Where a NIfTI header contradicts itself or the standard, it is said or refused."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from image_files import same_image, write_nifti
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_image_file
from PETAnomalyLib.engine.study.study import read_ct, read_pet

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
VALUES = np.random.default_rng(0).gamma(2.0, 0.5, (20, 22, 24)).astype(np.float32)
STEPS = np.array([[-8.0, 0, 0, 100], [0, -8.0, 0, 200], [0, 0, 10.0, -300]])
PIXDIM = [1, 8, 8, 10, 0, 0, 0, 0]
HALF_TURN = (0.0, 0.0, 1.0)  # quaternion of STEPS
AGREEING: dict[str, Any] = {
    "pixdim": PIXDIM,
    "sform": (1, STEPS.ravel()),
    "qform": (1, [*HALF_TURN, 100, 200, -300]),
}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        read_image_file(path)
    assert raised.value.hint
    return raised.value.message


def test_forms_that_agree_are_read_without_a_warning(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "p.nii.gz", VALUES, **AGREEING)
    image, _, warnings = read_image_file(path)
    assert warnings == ()
    assert same_image(image, sitk.ReadImage(str(path)))


@pytest.mark.parametrize(("q_code", "s_code"), itertools.product((1, 2, 3, 4), repeat=2))
def test_forms_that_disagree_are_told_with_the_distance(
    tmp_path: Path, q_code: int, s_code: int
) -> None:
    turned = nibabel.affines.from_matvec(
        np.array([[0, -8.0, 0], [8.0, 0, 0], [0, 0, 10.0]]), (130, 150, -280)
    )
    path = tmp_path / "p.nii.gz"
    image = nibabel.Nifti1Image(VALUES.T, None)
    image.set_qform(np.vstack([STEPS, [0, 0, 0, 1]]), q_code)
    image.set_sform(turned, s_code)
    nibabel.save(image, path)
    loaded: Any = nibabel.load(path)
    corners = np.array(list(itertools.product((0, 23), (0, 21), (0, 19))))
    places = [nibabel.affines.apply_affine(a, corners) for a in (loaded.get_qform(),
                                                                 loaded.get_sform())]  # fmt: skip
    distance = np.linalg.norm(places[0] - places[1], axis=1).max()
    read, _, warnings = read_pet(path)
    (warning,) = [w for w in warnings if "contradicts itself" in w]
    assert f"up to {distance:.3g} mm apart" in warning
    used = "sform" if s_code == 1 else "qform"
    assert f"The {used} is used" in warning
    assert same_image(read, sitk.ReadImage(str(path)))  # what Slicer shows
    place = read.TransformIndexToPhysicalPoint((23, 21, 19))
    assert place == pytest.approx((places[s_code == 1] * (-1, -1, 1))[-1], abs=1e-2)


def test_a_shift_of_sixty_millimetres_is_told(tmp_path: Path) -> None:
    shifted = STEPS + np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 60]])
    path = write_nifti(tmp_path / "p.nii.gz", VALUES, **{**AGREEING, "sform": (1, shifted.ravel())})
    assert any("up to 60 mm apart" in warning for warning in read_pet(path)[2])
    ct = (VALUES * 300 - 1000).astype(np.int16)
    path = write_nifti(tmp_path / "c.nii", ct, **{**AGREEING, "sform": (2, shifted.ravel())})
    assert any("up to 60 mm apart" in warning for warning in read_ct(path)[2])


def test_the_sforms_own_steps_count_where_pixdim_says_otherwise(tmp_path: Path) -> None:
    """NIfTI's method 3 does not look at pixdim; ITK mixes both."""
    path = write_nifti(tmp_path / "p.nii", VALUES, pixdim=[1, 4, 4, 5, 0, 0, 0, 0],
                       sform=(1, STEPS.ravel()))  # fmt: skip
    image, _, warnings = read_image_file(path)
    assert image.GetSpacing() == (8.0, 8.0, 10.0)
    loaded: Any = nibabel.load(path)
    expected = TO_LPS @ loaded.affine @ (23, 21, 19, 1)
    assert image.TransformIndexToPhysicalPoint((23, 21, 19)) == pytest.approx(expected[:3])
    distance = np.linalg.norm((23 * 4, 21 * 4, 19 * 5))
    assert f"by its sform and its pixdim the same voxel lies up to {distance:.3g} mm" in warnings[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(12))
def test_a_form_that_is_no_number_is_refused(tmp_path: Path, bad: float, place: int) -> None:
    broken = STEPS.copy().ravel()
    broken[place] = bad
    for code, others in ((1, AGREEING), (2, AGREEING), (1, {"pixdim": PIXDIM})):
        path = write_nifti(tmp_path / "p.nii", VALUES, **{**others, "sform": (code, broken)})
        assert "NaN or infinite" in refusal(path)
    quaternion = [*HALF_TURN, 100, 200, -300]
    quaternion[place % 6] = bad
    for others in (AGREEING, {"pixdim": PIXDIM}):
        path = write_nifti(tmp_path / "p.nii", VALUES, **{**others, "qform": (1, quaternion)})
        assert "NaN or infinite" in refusal(path) or "no rotation" in refusal(path)


def test_a_form_that_is_no_number_in_mm_is_refused(tmp_path: Path) -> None:
    image: Any = nibabel.Nifti2Image(VALUES, np.vstack([STEPS, [0, 0, 0, 1]]))
    image.header.set_xyzt_units("meter")
    image.to_filename(tmp_path / "p.nii")
    written = bytearray((tmp_path / "p.nii").read_bytes())
    struct.pack_into("<d", written, image.header.template_dtype.fields["srow_x"][1] + 24, 1e308)
    (tmp_path / "p.nii").write_bytes(written)
    assert "NaN or infinite numbers in the sform" in refusal(tmp_path / "p.nii")


@pytest.mark.parametrize("bad", [0.0, -4.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("forms", [(), ("qform",), ("sform",), ("qform", "sform")])
def test_a_spacing_that_is_none_is_refused(
    tmp_path: Path, bad: float, axis: int, forms: tuple[str, ...]
) -> None:
    pixdim: list[float] = list(PIXDIM)
    pixdim[axis] = bad
    fields = {form: AGREEING[form] for form in forms}
    assert "voxel spacing" in refusal(
        write_nifti(tmp_path / "p.nii", VALUES, pixdim=pixdim, **fields)
    )


def test_what_is_no_rotation_is_refused_and_what_is_one_to_rounding_is_not(tmp_path: Path) -> None:
    for skew, fine in ((2.0, False), (0.05, False), (0.0002, True)):
        sheared = STEPS.copy()
        sheared[0, 2] = skew
        path = write_nifti(
            tmp_path / "p.nii", VALUES, **{**AGREEING, "sform": (1, sheared.ravel())}
        )
        if fine:
            assert read_image_file(path)[2] == ()
        else:
            assert "not perpendicular" in refusal(path)
    flat = STEPS.copy()
    flat[:, 1] = 0
    for steps in (flat, STEPS[:, [0, 0, 2, 3]], np.zeros((3, 4))):
        path = write_nifti(tmp_path / "p.nii", VALUES, pixdim=PIXDIM, sform=(1, steps.ravel()))
        refusal(path)
    for numbers in ([2.0, 0, 0], [0.8, 0.8, 0.8]):
        path = write_nifti(
            tmp_path / "p.nii", VALUES, pixdim=PIXDIM, qform=(1, [*numbers, 0, 0, 0])
        )
        assert "no rotation" in refusal(path)
    for hand in (-3.0, 0.5, np.nan):
        path = write_nifti(
            tmp_path / "p.nii", VALUES, **{**AGREEING, "pixdim": [hand, *PIXDIM[1:]]}
        )
        assert "pixdim[0]" in refusal(path)


def test_a_template_space_beside_the_scanners_is_told_and_the_scanners_used(tmp_path: Path) -> None:
    """A sheared sform of code 4 (MNI) is ordinary in brain imaging; ITK takes the qform then."""
    sheared = STEPS + np.array([[0, 1, 0, 5], [0, 0, 2, 0], [0, 0, 0, 0]])
    path = write_nifti(tmp_path / "p.nii", VALUES, **{**AGREEING, "sform": (4, sheared.ravel())})
    image, _, warnings = read_image_file(path)
    assert "The qform is used" in warnings[0]
    assert same_image(image, sitk.ReadImage(str(path)))


def test_no_form_at_all_is_told_and_read_as_itk_reads_it(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "p.nii", VALUES, pixdim=PIXDIM)
    image, _, warnings = read_image_file(path)
    assert "states no orientation" in warnings[0]
    assert same_image(image, sitk.ReadImage(str(path)))


@pytest.mark.parametrize(("units", "mm"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (2 + 8, 1)])
def test_lengths_are_in_the_unit_that_the_header_states(
    tmp_path: Path, units: int, mm: float
) -> None:
    path = write_nifti(tmp_path / "p.nii", VALUES, units=units, pixdim=[1, *np.array(PIXDIM[1:])
                       / mm], sform=(1, STEPS.ravel() / mm))  # fmt: skip
    image, _, warnings = read_image_file(path)
    assert warnings == ()
    assert image.GetSpacing() == pytest.approx((8, 8, 10), rel=1e-6)
    assert image.GetOrigin() == pytest.approx((-100, -200, -300), rel=1e-6)


def test_nifti_2_is_read_as_nibabel_reads_it(tmp_path: Path) -> None:
    affine = np.vstack([STEPS, [0, 0, 0, 1]])
    for order, name in (("<", "p.nii"), (">", "q.nii.gz")):
        header = nibabel.Nifti2Header(endianness=order)
        header["descrip"] = b"SUVbw"
        nibabel.save(nibabel.Nifti2Image(VALUES.T, affine, header), tmp_path / name)
        image, description, warnings = read_image_file(tmp_path / name)
        assert np.array_equal(sitk.GetArrayViewFromImage(image), VALUES)
        assert image.GetOrigin() == (-100, -200, -300)
        assert image.GetSpacing() == (8, 8, 10)
        assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
        assert (description["stated_units"], warnings) == ("SUV", ())


def test_scaling_follows_the_standard_and_nibabel(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    for slope, inter in ((0, 0), (0, 7), (1, 0), (0.5, -3), (-2, 1), (np.nan, np.nan)):
        path = write_nifti(tmp_path / "p.nii", values, slope=slope, inter=inter)
        loaded: Any = nibabel.load(path)
        expected = loaded.get_fdata().T
        assert np.array_equal(sitk.GetArrayFromImage(read_image_file(path)[0]), expected)
    for slope, inter in ((np.inf, 0), (np.nan, 5), (2, np.nan), (1, -np.inf)):
        path = write_nifti(tmp_path / "p.nii", values, slope=slope, inter=inter)
        assert "its scaling is" in refusal(path)
    path = write_nifti(tmp_path / "p.nii", values, slope=3e38, inter=0)
    assert "NaN or infinite" in refusal(path)


def test_extensions_are_passed_over(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "p.nii.gz", VALUES, extension=b"\x10\0\0\0\4\0\0\0" + b"x" * 3000,
                       **AGREEING)  # fmt: skip
    assert np.array_equal(sitk.GetArrayViewFromImage(read_image_file(path)[0]), VALUES)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dim": [3, 0, 22, 24, 1, 1, 1, 1]}, "sizes are impossible"),
        ({"dim": [3, -24, 22, 20, 1, 1, 1, 1]}, "sizes are impossible"),
        ({"dim": [0, 24, 22, 20, 1, 1, 1, 1]}, "sizes are impossible"),
        ({"dim": [8, 24, 22, 20, 1, 1, 1, 1]}, "sizes are impossible"),
        ({"dim": [2, 24, 22, 20, 1, 1, 1, 1]}, "2-D picture"),
        ({"dim": [3, 24, 22, 19, 1, 1, 1, 1]}, "more bytes"),
        ({"dim": [3, 24, 22, 21, 1, 1, 1, 1]}, "truncated"),
        ({"dim": [4, 12, 22, 20, 2, 1, 1, 1]}, "is 4-D (12 x 22 x 20 x 2)"),
        ({"dim": [5, 12, 22, 20, 1, 2, 1, 1]}, "2 values a voxel"),
        ({"dim": [7, 12, 22, 10, 1, 1, 2, 2]}, "several volumes"),
        ({"datatype": 4}, "32 bits"),
        ({"datatype": 8, "bitpix": 16}, "16 bits"),
        ({"datatype": 1, "bitpix": 1}, "unknown number 1"),
        ({"datatype": 1536, "bitpix": 128}, "unknown number 1536"),
        ({"datatype": -1}, "unknown number -1"),
        ({"datatype": 32, "bitpix": 64}, "complex"),
        ({"datatype": 1792, "bitpix": 128}, "complex"),
        ({"datatype": 128, "bitpix": 24}, "3 values a voxel"),
        ({"datatype": 2304, "bitpix": 32}, "4 values a voxel"),
        ({"vox_offset": 0}, "vox_offset"),
        ({"vox_offset": 348}, "vox_offset"),
        ({"vox_offset": 352.5}, "vox_offset"),
        ({"vox_offset": -352}, "vox_offset"),
        ({"vox_offset": np.nan}, "vox_offset"),
        ({"vox_offset": np.nan, "datatype": 128, "bitpix": 24}, "vox_offset"),
        ({"vox_offset": np.inf}, "vox_offset"),
        ({"vox_offset": 356}, "truncated"),
        ({"slope": 1e-39}, "scl_slope"),
        ({"slope": np.inf}, "scl_slope"),
        ({"magic": b"ni1\0"}, "another file (.hdr and .img)"),
        ({"magic": b"\0\0\0\0"}, "Analyze"),
    ],
)
@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz"])
def test_a_header_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, name: str, fields: dict[str, Any], said: str
) -> None:
    path = write_nifti(tmp_path / name, VALUES, **{**AGREEING, **fields})
    assert said in refusal(path)


@pytest.mark.parametrize("seed", range(4))
def test_any_damage_to_a_header_is_refused_or_read_never_a_traceback(
    tmp_path: Path, seed: int
) -> None:
    whole = write_nifti(tmp_path / "p.nii", VALUES[:4, :4, :4], **AGREEING).read_bytes()
    chance = np.random.default_rng(seed)
    for _ in range(400):
        damaged = bytearray(whole)
        for place in chance.integers(0, 352, chance.integers(1, 5)):
            damaged[place] = chance.integers(256)
        (tmp_path / "p.nii").write_bytes(bytes(damaged))
        try:
            image = read_image_file(tmp_path / "p.nii")[0]
        except InputError:
            continue
        assert np.all(np.isfinite(image.GetDirection() + image.GetOrigin() + image.GetSpacing()))
        assert min(image.GetSpacing()) > 0
