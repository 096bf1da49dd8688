"""The phantom: the same by seed, plausible as a patient, and its truth is what PET shows."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.phantom import PhantomStudy, generate, write_cohort
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.truth import organs
from PETAnomalyLib.engine.runtime.errors import InputError
from repository import MODULE, TESTING
from scipy import ndimage

SEEDS = (12, 22)  # a woman with arms down and lung cancer; a man with arms up and lymphoma


class Made(NamedTuple):
    """A generated study with its arrays (k, j, i) and what every voxel was painted as."""

    study: PhantomStudy
    suv: np.ndarray
    ct: np.ndarray
    labels: np.ndarray
    organ: np.ndarray
    clear: np.ndarray  # away from lesions

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(np.prod(self.study.suv.GetSpacing())) / 1000

    def mean(self, organ: Organ, values: np.ndarray, depth: int) -> float:
        """Mean of `values` well inside an organ, `depth` voxels from its surface."""
        return float(values[self.core(organ, depth)].mean())

    def core(self, organ: Organ, depth: int) -> np.ndarray:
        """The voxels of an organ that lie `depth` voxels inside it, outside any lesion."""
        mask = self.organ == organ
        (box,) = ndimage.find_objects(mask.astype(np.uint8))
        inside = np.zeros_like(mask)
        inside[box] = ndimage.binary_erosion(mask[box], iterations=depth)
        return inside & self.clear


def make(seed: int) -> Made:
    study = generate(seed)
    organ = organs(study.description, study.suv)
    assert organ is not None
    suv, ct, labels = (
        sitk.GetArrayFromImage(image) for image in (study.suv, study.ct, study.lesions)
    )
    clear = ~ndimage.binary_dilation(labels > 0, iterations=3)
    return Made(study, suv, ct, labels, organ, clear)


def neighbourhood(made: Made, label: int, margin: int) -> tuple[slice, ...]:
    """The box of a lesion, `margin` voxels wider on every side."""
    box = ndimage.find_objects((made.labels == label).astype(np.uint8))[0]
    return tuple(slice(max(s.start - margin, 0), s.stop + margin) for s in box)


@pytest.fixture(scope="module")
def patients() -> list[Made]:
    return [make(seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def healthy() -> PhantomStudy:
    return generate(SEEDS[0], healthy=True)


def digest(study: PhantomStudy) -> str:
    parts = [sitk.GetArrayFromImage(image) for image in (study.suv, study.ct, study.lesions)]
    text = json.dumps([study.description, study.suv.GetOrigin()], sort_keys=True)
    return hashlib.sha256(b"".join(p.tobytes() for p in parts) + text.encode()).hexdigest()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process_with_other_threads(
    patients: list[Made],
) -> None:
    script = "import test_phantom as t; print(t.digest(t.generate(t.SEEDS[1])))"
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(TESTING / "support"), str(MODULE)])
    threads = "1" if os.environ.get("OMP_NUM_THREADS") != "1" else "2"
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": threads}
    other = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(patients[1].study)


def test_another_seed_gives_another_patient(patients: list[Made]) -> None:
    first, second = (made.study for made in patients)
    assert digest(first) != digest(second)
    assert first.suv.GetOrigin() != second.suv.GetOrigin()
    assert first.description["uptake_suv"] != second.description["uptake_suv"]


def test_pet_ct_and_truth_lie_on_one_grid(patients: list[Made]) -> None:
    for made in patients:
        images = (made.study.suv, made.study.ct, made.study.lesions)
        for image in images:
            assert image.GetSize() == images[0].GetSize()
            assert image.GetOrigin() == images[0].GetOrigin()
            assert image.GetSpacing() == images[0].GetSpacing()
            assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
        assert all(1.6 < mm < 5.5 for mm in images[0].GetSpacing())
        assert 480 < images[0].GetSize()[2] * images[0].GetSpacing()[2] < 2100  # mm
        assert all(abs(position) > 1 for position in images[0].GetOrigin())
        kinds = [image.GetPixelID() for image in images]
        assert kinds == [sitk.sitkFloat32, sitk.sitkFloat32, sitk.sitkUInt16]


def test_all_values_are_finite_and_physical(patients: list[Made]) -> None:
    for made in patients:
        assert np.isfinite(made.suv).all()
        assert made.suv.min() >= 0
        assert made.suv.max() < 120
        assert np.isfinite(made.ct).all()
        assert made.ct.min() >= -1024
        assert made.ct.max() <= 3071


# SUV ranges of the literature for FDG (e.g. Wang et al. 2007; Zincirkeser et al. 2007).
@pytest.mark.parametrize(
    ("organ", "depth", "low", "high"),
    [
        (Organ.LIVER, 3, 1.2, 4.0),
        (Organ.SPLEEN, 2, 1.2, 3.0),
        (Organ.BLOOD, 2, 1.1, 2.3),
        (Organ.LUNG, 3, 0.25, 0.75),
        (Organ.MUSCLE, 2, 0.5, 1.0),
        (Organ.FAT, 2, 0.18, 0.45),
        (Organ.MARROW, 1, 0.6, 2.6),
        (Organ.URINE, 2, 3.0, 90.0),
    ],
)
def test_healthy_organs_take_up_what_the_literature_says(
    patients: list[Made], organ: Organ, depth: int, low: float, high: float
) -> None:
    for made in patients:
        assert low < made.mean(organ, made.suv, depth) < high


@pytest.mark.parametrize(
    ("organ", "depth", "low", "high"),
    [
        (Organ.LUNG, 3, -900, -680),
        (Organ.FAT, 2, -120, -85),
        (Organ.VISCERAL_FAT, 2, -120, -85),
        (Organ.MUSCLE, 2, 35, 85),
        (Organ.LIVER, 3, 0, 135),
        (Organ.BLOOD, 2, 25, 210),
        (Organ.URINE, 2, -10, 40),
        (Organ.MARROW, 1, 60, 350),
        (Organ.CORTEX, 0, 150, 1000),
    ],
)
def test_ct_shows_every_tissue_at_its_hounsfield_units(
    patients: list[Made], organ: Organ, depth: int, low: float, high: float
) -> None:
    for made in patients:
        if depth:
            assert low < made.mean(organ, made.ct, depth) < high
        else:
            assert low < made.ct[made.organ == organ].mean() < high


def test_the_noise_of_the_liver_is_that_of_a_clinical_scan(patients: list[Made]) -> None:
    for made in patients:
        liver = made.suv[made.core(Organ.LIVER, 3)]
        assert 0.05 < liver.std() / liver.mean() < 0.25


def test_the_noise_of_neighbouring_voxels_is_correlated(patients: list[Made]) -> None:
    made = patients[1]
    liver = made.core(Organ.LIVER, 3)
    (box,) = ndimage.find_objects(liver.astype(np.uint8))
    noise = made.suv[box] - ndimage.gaussian_filter(made.suv[box], 3)
    pair = liver[box][:, :, 1:] & liver[box][:, :, :-1]
    correlation = np.corrcoef(noise[:, :, 1:][pair], noise[:, :, :-1][pair])[0, 1]
    assert 0.1 < correlation < 0.85


def test_the_mean_suv_of_the_body_is_that_of_a_real_scan(patients: list[Made]) -> None:
    # The real whole-body scan STS_001 has 0.81; full bladders and hot hearts spread it.
    for made in patients:
        body = made.suv[made.suv > 0.1]
        assert 0.5 < body.mean() < 1.4
        assert 25 < len(body) * made.voxel_ml / 1000 < 130  # litres


def test_the_healthy_patient_is_the_same_patient_without_lesions(
    patients: list[Made], healthy: PhantomStudy
) -> None:
    sick = patients[0]
    assert healthy.description["lesions"] == []
    assert not sitk.GetArrayFromImage(healthy.lesions).any()
    assert {**sick.study.description, "lesions": []} == healthy.description
    difference = np.abs(sick.suv - sitk.GetArrayFromImage(healthy.suv))
    far = ~ndimage.binary_dilation(sick.labels > 0, iterations=6) & (sick.organ > 0)
    assert np.percentile(difference[far], 99) < 0.05


def test_lesions_are_as_many_as_large_and_as_hot_as_promised(patients: list[Made]) -> None:
    sites = set()
    for made in patients:
        lesions = made.study.description["lesions"]
        assert 1 <= len(lesions) <= 15
        assert [lesion["label"] for lesion in lesions] == list(range(1, len(lesions) + 1))
        assert sorted(np.unique(made.labels)) == list(range(len(lesions) + 1))
        for lesion in lesions:
            assert 8 <= lesion["diameter_mm"] <= 120
            assert 2.5 <= lesion["suv"] <= 25
            sites.add(lesion["site"].split(":")[0])
    assert len(sites) >= 3


def test_the_description_says_where_each_lesion_lies_and_how_large_it_is(
    patients: list[Made],
) -> None:
    for made in patients:
        boxes = ndimage.find_objects(made.labels)
        for lesion, box in zip(made.study.description["lesions"], boxes):
            where = np.argwhere(made.labels[box] == lesion["label"])
            where += [extent.start for extent in box]
            assert lesion["volume_ml"] == pytest.approx(len(where) * made.voxel_ml, abs=1e-3)
            k, j, i = where.mean(0)
            point = made.study.suv.TransformContinuousIndexToPhysicalPoint((i, j, k))
            assert lesion["centre_lps_mm"] == pytest.approx(point, abs=0.02)


def test_lesions_lie_in_the_body_apart_from_each_other_and_stand_out(
    patients: list[Made],
) -> None:
    for made in patients:
        assert (made.organ[made.labels > 0] != Organ.AIR).all()
        for lesion in made.study.description["lesions"]:
            box = neighbourhood(made, lesion["label"], 4)
            inside = made.labels[box] == lesion["label"]
            assert ndimage.label(inside, np.ones((3, 3, 3)))[1] == 1
            around = ndimage.binary_dilation(inside, iterations=3) & (made.labels[box] == 0)
            assert made.suv[box][inside].max() > 1.3 * np.median(made.suv[box][around])


def test_the_truth_of_a_distinct_lesion_is_its_forty_percent_isocontour(
    patients: list[Made],
) -> None:
    scores = []
    for made in patients:
        for lesion in made.study.description["lesions"]:
            box = neighbourhood(made, lesion["label"], 12)
            inside, suv = made.labels[box] == lesion["label"], made.suv[box]
            threshold = 0.4 * suv[inside].max()
            near = ndimage.binary_dilation(inside)
            around = ndimage.binary_dilation(near, iterations=3) & ~near
            if lesion["diameter_mm"] < 15 or np.percentile(suv[around], 99) > threshold:
                continue
            grown = ndimage.label(suv >= threshold, np.ones((3, 3, 3)))[0]
            grown = np.isin(grown, np.setdiff1d(grown[inside], [0]))
            scores.append(2 * (grown & inside).sum() / (grown.sum() + inside.sum()))
    assert len(scores) >= 4
    assert np.median(scores) >= 0.85
    assert np.min(scores) >= 0.7


def test_benign_findings_show_on_ct_and_take_up_no_more_than_organs_do(
    patients: list[Made],
) -> None:
    apart = []
    for made in patients:
        assert made.study.description["benign_findings"]
        benign = made.organ == Organ.BENIGN
        uptake = made.study.description["uptake_suv"]
        passed_over = max(2.0, 1.2 * uptake["liver"], 1.2 * uptake["marrow"])
        spots = ndimage.label(benign)[0]
        for spot, place in enumerate(ndimage.find_objects(spots), 1):
            box = tuple(slice(max(s.start - 3, 0), s.stop + 3) for s in place)
            inside = spots[box] == spot
            # What lies beside spills over; the middle is the finding's own.
            assert np.percentile(made.suv[box][inside], 40) < passed_over
            near = ndimage.binary_dilation(inside, iterations=2) & ~benign[box]
            apart.append(abs(np.median(made.ct[box][inside]) - np.median(made.ct[box][near])))
            assert not (made.labels[box] > 0)[inside].any()  # no lesion hides in one
    assert len(apart) >= 3
    assert np.median(apart) > 10


def test_physiological_uptake_that_only_ct_explains_is_common(patients: list[Made]) -> None:
    kinds = (Organ.SMALL_BOWEL, Organ.COLON, Organ.STOMACH, Organ.URINE, Organ.MYOCARDIUM,
             Organ.MUSCLE, Organ.TONSIL, Organ.BROWN_FAT)  # fmt: skip
    for made in patients:
        hot = (made.suv > 2.5) & np.isin(made.organ, kinds) & made.clear
        spots, number = ndimage.label(hot)
        sizes = np.bincount(spots.ravel(), minlength=number + 1)[1:]
        assert (sizes * made.voxel_ml > 0.2).sum() >= 4
        assert made.study.description["variants"]


def test_the_kidneys_and_the_bladder_lie_elsewhere_in_every_patient(patients: list[Made]) -> None:
    centres = []
    for made in patients:
        mm = made.study.suv.GetSpacing()[::-1]
        where = np.argwhere(made.organ == Organ.URINE).mean(0)
        centres.append((where - np.argwhere(made.organ == Organ.LIVER).mean(0)) * mm)
    assert np.linalg.norm(centres[0] - centres[1]) > 5


def test_bad_seeds_are_refused_with_the_value_named() -> None:
    for seed in (-1, 1.5, True, "7"):
        with pytest.raises(InputError, match=repr(seed)):
            generate(seed)  # type: ignore[arg-type]  # what a caller can get wrong


def test_a_cohort_is_written_in_the_autopet_layout(tmp_path: Path, patients: list[Made]) -> None:
    (summary,) = write_cohort(tmp_path / "cohort", 1, SEEDS[1])
    folder = tmp_path / "cohort" / f"phantom-{SEEDS[1]}" / "0"
    assert summary["path"] == str(folder)
    json.dumps(summary)
    assert sorted(path.name for path in folder.iterdir()) == [
        "CTres.nii.gz",
        "SEG.nii.gz",
        "SUV.nii.gz",
        "description.json",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["0"]  # nothing half-written beside
    suv, ct, seg = (
        sitk.ReadImage(str(folder / f"{name}.nii.gz")) for name in ("SUV", "CTres", "SEG")
    )
    made = patients[1]
    assert seg.GetPixelID() == sitk.sitkUInt8
    assert np.array_equal(sitk.GetArrayFromImage(suv), made.suv)
    assert np.array_equal(sitk.GetArrayFromImage(seg), made.labels > 0)
    assert np.abs(sitk.GetArrayFromImage(ct) - made.ct).max() <= 1
    for image in (suv, ct, seg):
        assert image.GetSize() == made.study.suv.GetSize()
        assert image.GetOrigin() == pytest.approx(made.study.suv.GetOrigin(), abs=1e-3)
        assert image.GetSpacing() == pytest.approx(made.study.suv.GetSpacing(), abs=1e-5)
    assert json.loads((folder / "description.json").read_text("utf-8")) == made.study.description


@pytest.mark.parametrize(
    ("count", "seed", "named"),
    [(0, 1, "count"), (-3, 1, "count"), (1, -1, "seed"), (1.5, 1, "count")],
)
def test_an_impossible_cohort_is_refused_before_anything_is_written(
    tmp_path: Path, count: int, seed: int, named: str
) -> None:
    with pytest.raises(InputError, match=named):
        write_cohort(tmp_path / "cohort", count, seed)
    assert not (tmp_path / "cohort").exists()


def test_a_cohort_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "cohort"
    place.write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        write_cohort(place, 1, 1)
    assert place.read_text() == "not a folder"
