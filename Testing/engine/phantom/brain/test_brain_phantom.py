"""Brain phantoms: heads as the literature has them, with diseases where diseases lie."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from absent_package import make_absent
from nilearn_template import needs_nilearn
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.cohort import write_brain_cohort
from PETAnomalyLib.engine.phantom.brain.hyperintensities import draw_hyperintensities
from PETAnomalyLib.engine.phantom.brain.lesion import CORE, ENHANCING, LABELS, OEDEMA, PLAQUE
from PETAnomalyLib.engine.phantom.brain.plaques import draw_plaques
from PETAnomalyLib.engine.phantom.brain.sequences import ALWAYS, CONTRASTS, draw_protocol
from PETAnomalyLib.engine.phantom.brain.study import (
    CSF,
    GREY,
    VENTRICLE,
    WHITE_MATTER,
    BrainStudy,
    generate_brain,
)
from PETAnomalyLib.engine.phantom.brain.subject import draw_subject
from PETAnomalyLib.engine.phantom.brain.template import template
from PETAnomalyLib.engine.runtime.errors import InputError
from repository import MODULE, TESTING
from scipy import ndimage

pytestmark = needs_nilearn

VOXEL_MM = 3.0
YOUNG, OLD = 21, 57  # 20 and 87 years; the mass of OLD lies beside the ventricles
ACUTE, CHRONIC = 16, 21  # infarcts of the middle cerebral artery

Array = npt.NDArray[np.float32]


@cache
def head(seed: int, disease: str | None = None) -> BrainStudy:
    """A coarse head, made once; without a disease a healthy one."""
    return generate_brain(seed, disease is None, disease, CONTRASTS, VOXEL_MM)


def values(image: sitk.Image) -> Array:
    return np.asarray(sitk.GetArrayFromImage(image), np.float32)


def medians(study: BrainStudy, contrast: str) -> dict[int, float]:
    """Of each tissue where it lies among its own kind, lesions aside."""
    image, of = values(study.images[contrast]), values(study.tissue)
    clear = values(study.lesions) == 0
    found = {}
    for kind in (GREY, WHITE_MATTER, VENTRICLE):
        core = ndimage.binary_erosion(of == kind) if kind != GREY else of == kind
        found[kind] = float(np.median(image[core & clear]))
    return found


def test_every_protocol_has_the_order_of_tissues_that_its_contrast_is_known_for() -> None:
    for seed in range(200):
        protocol = draw_protocol(np.random.default_rng(seed))

        def of(contrast: str, *kinds: tissue.Tissue) -> list[float]:
            return [protocol.signal(contrast, kind) for kind in kinds]  # noqa: B023

        white, grey, csf = of("T1w", tissue.WHITE, tissue.GREY, tissue.CSF)
        assert white > 1.1 * grey > 1.1 * csf
        csf, grey, white = of("T2w", tissue.CSF, tissue.GREY, tissue.WHITE)
        assert csf > 1.1 * grey > 1.1 * white
        grey, white, csf = of("FLAIR", tissue.GREY, tissue.WHITE, tissue.CSF)
        assert grey > 1.1 * white > 1.1 * csf
        lesions = (tissue.PLAQUE, tissue.HYPERINTENSITY, tissue.OEDEMA, tissue.ACUTE_INFARCT)
        assert min(of("FLAIR", *lesions)) > 1.1 * grey
        bright, before = (of(c, tissue.ENHANCING)[0] for c in ("T1c", "T1w"))
        assert bright > 1.5 * before
        assert of("T1c", tissue.WHITE) == of("T1w", tissue.WHITE)  # behind the barrier


def test_the_signal_of_flair_is_nulled_when_csf_passes_zero() -> None:
    """1 - 2 exp(-TI/T1) + exp(-TR/T1) = 0 at TI = T1 ln(2 / (1 + exp(-TR/T1)))."""
    protocol = draw_protocol(np.random.default_rng(3))
    still = protocol.signal("FLAIR", tissue.CSF)
    assert 0 <= still < 0.1 * protocol.signal("FLAIR", tissue.WHITE)


def test_images_show_their_tissues_in_the_order_of_their_contrast() -> None:
    study = head(OLD)
    t1w, t2w, flair = (medians(study, name) for name in ALWAYS)
    assert t1w[WHITE_MATTER] > t1w[GREY] > t1w[VENTRICLE]
    assert t2w[VENTRICLE] > t2w[GREY] > t2w[WHITE_MATTER]
    assert flair[GREY] > flair[WHITE_MATTER] > flair[VENTRICLE]


def test_all_contrasts_mask_and_truth_lie_on_one_grid_of_plausible_values() -> None:
    study = head(OLD, "mass")
    every = [*study.images.values(), study.mask, study.lesions, study.tissue]
    for image in every:
        assert image.GetSize() == (80, 80, 64)
        assert image.GetSpacing() == (VOXEL_MM,) * 3
        assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
        assert image.GetOrigin() == every[0].GetOrigin()
    for image in study.images.values():
        assert image.GetPixelID() == sitk.sitkInt16
        assert values(image).min() >= 0
    mask, lesions = values(study.mask), values(study.lesions)
    assert set(np.unique(mask)) == {0, 1}
    assert (mask[lesions > 0] == 1).mean() > 0.99
    assert (values(study.tissue) > 0)[mask == 1].all()


def test_volumes_and_their_change_with_age_are_those_of_the_literature() -> None:
    """Matsumae 1996 (intracranial), Pfefferbaum 1994 and Kruggel 2006 (parts and change)."""
    young, old = head(YOUNG).description, head(OLD).description
    assert young["age"] < 30
    assert old["age"] > 80
    for described in (young, old):
        volumes = described["volumes_ml"]
        mean, spread = {"F": (1289, 111), "M": (1469, 102)}[described["sex"]]
        assert abs(volumes["intracranial"] - mean) < 3 * spread
        whole = volumes["csf"] + volumes["grey"] + volumes["white"]
        assert whole == pytest.approx(volumes["intracranial"], abs=1)
        assert 0.32 < volumes["white"] / whole < 0.42
    share = [
        {name: volumes[name] / volumes["intracranial"] for name in volumes}
        for volumes in (young["volumes_ml"], old["volumes_ml"])
    ]
    assert 0.05 < share[0]["csf"] < 0.12
    assert 0.13 < share[1]["csf"] < 0.28
    assert share[0]["grey"] - share[1]["grey"] > 0.03
    assert abs(share[0]["white"] - share[1]["white"]) < 0.04
    assert 6 < young["volumes_ml"]["ventricles"] < 25
    assert 22 < old["volumes_ml"]["ventricles"] < 90


def test_heads_of_many_seeds_are_of_every_age_and_both_sexes_and_shrink_with_age() -> None:
    subjects = [draw_subject(seed) for seed in range(400)]
    ages = np.array([subject.age for subject in subjects])
    assert (ages.min(), ages.max()) == (20, 90)
    assert 0.4 < np.mean([subject.sex == "F" for subject in subjects]) < 0.6
    for growth in ("ventricle_growth", "sulcal_growth"):
        of = np.array([getattr(subject, growth) for subject in subjects])
        assert np.corrcoef(ages, of)[0, 1] > 0.75


def test_skull_and_scalp_surround_the_brain() -> None:
    study = head(OLD)
    image, mask = values(study.images["T1w"]), values(study.mask) > 0
    beyond = ndimage.distance_transform_edt(~mask, sampling=VOXEL_MM)
    upper = np.zeros_like(mask)
    upper[44:] = True  # above the eyes
    white = medians(study, "T1w")[WHITE_MATTER]
    shells = [(np.abs(beyond - mm) < 0.55 * VOXEL_MM) & upper for mm in range(3, 27, 3)]
    profile = [float(np.median(image[shell])) / white for shell in shells]
    assert profile[0] < 0.6  # bone
    assert max(profile) > 1.1  # the fat of the scalp
    assert 6 <= 3 * (1 + int(np.argmax(profile))) <= 15
    assert profile[-1] < 0.15  # air


@pytest.mark.parametrize("disease", ["plaques", "hyperintensities"])
def test_where_nothing_is_pushed_images_differ_from_the_healthy_twins_in_the_mask_alone(
    disease: str,
) -> None:
    sick, healthy = head(OLD, disease), head(OLD)
    mask = values(sick.lesions) > 0
    assert mask.any()
    change = values(sick.images["FLAIR"]) - values(healthy.images["FLAIR"])
    noise = sick.description["scans"]["FLAIR"]["noise"] * medians(healthy, "FLAIR")[WHITE_MATTER]
    assert np.mean(change[mask] > 2 * noise) > 0.7
    # Edges of lesions fill less than half of a voxel, and the point-spread has a tail.
    far = ~ndimage.binary_dilation(mask, iterations=4)
    assert np.mean(change[far] != 0) < 0.01
    for name in ("sex", "age", "volumes_ml", "protocol"):
        assert sick.description[name] == healthy.description[name]
    assert sick.description["disease"]["kind"] == disease
    assert healthy.description["disease"] is None


def test_lesions_are_brighter_on_flair_and_darker_on_t1w_than_white_matter() -> None:
    for disease in ("plaques", "hyperintensities"):
        study = head(OLD, disease)
        inside = ndimage.binary_erosion(values(study.lesions) > 0)
        inside = inside if inside.sum() > 20 else values(study.lesions) > 0
        flair, t1w = (float(np.median(values(study.images[c])[inside])) for c in ("FLAIR", "T1w"))
        assert flair > medians(study, "FLAIR")[GREY]
        assert t1w < medians(study, "T1w")[WHITE_MATTER]


def test_plaques_lie_where_the_diagnosis_asks_for_them() -> None:
    study = head(OLD, "plaques")
    of, lesions = values(study.tissue), values(study.lesions)
    assert set(np.unique(lesions)) == {0, PLAQUE}
    assert np.isin(of[lesions > 0], (GREY, WHITE_MATTER)).all()
    described = study.description["lesions"]
    assert min(lesion["ventricle_mm"] for lesion in described) <= 4.5
    assert any("cerebellum" in one["site"] or one["site"] == "brainstem" for one in described)


def test_plaques_are_nearer_to_the_ventricles_than_white_matter_is() -> None:
    maps = template()
    white = maps.white[::2, ::2, ::2] > 0.75
    drawn = np.zeros(white.shape, bool)
    for seed in range(4):
        for layer in draw_plaques(np.random.default_rng(seed)).layers:
            drawn |= layer.level[::2, ::2, ::2] > 0
    near = maps.ventricle_mm < 6
    assert near[drawn & white].mean() > 3 * near[white].mean()


def test_hyperintensities_hug_the_ventricles_and_grow_with_age() -> None:
    study = head(OLD, "hyperintensities")
    lesions, of = values(study.lesions) > 0, values(study.tissue)
    away = ndimage.distance_transform_edt(of != VENTRICLE, sampling=VOXEL_MM)
    assert away[lesions].min() <= 2 * VOXEL_MM
    assert (of[lesions] == WHITE_MATTER).mean() > 0.9
    young, old = (
        (draw_hyperintensities(np.random.default_rng(1), age).layers[0].level > 0).sum()
        for age in (25, 85)
    )
    assert old > 3 * young > 0


def test_a_mass_has_core_rim_and_oedema_and_moves_the_midline_away_but_not_the_skull() -> None:
    sick, healthy = head(OLD, "mass"), head(OLD)
    assert sick.description["disease"]["grade"] == "high"
    labels = values(sick.lesions)
    assert set(np.unique(labels)) == {0, CORE, OEDEMA, ENHANCING}
    rim = labels == ENHANCING
    agent = values(sick.images["T1c"])
    assert np.median(agent[rim]) > 1.25 * medians(sick, "T1c")[WHITE_MATTER]
    for other in (CORE, OEDEMA):
        assert np.median(agent[labels == other]) < np.median(agent[rim])
    core = np.argwhere(labels == CORE).mean(axis=0)
    spread = [np.linalg.norm(np.argwhere(labels == n) - core, axis=1).mean()
              for n in (CORE, ENHANCING, OEDEMA)]  # fmt: skip
    assert spread == sorted(spread)
    middle = []
    for study in (sick, healthy):  # of the ventricles beside the mass
        ventricles = np.argwhere(values(study.tissue) == VENTRICLE)
        beside = np.linalg.norm((ventricles - core)[:, :2], axis=1) * VOXEL_MM < 25
        middle.append(ventricles[beside][:, 2].mean() * VOXEL_MM)
    away = np.sign(middle[1] - core[2] * VOXEL_MM)
    assert 1 < away * (middle[0] - middle[1]) < 15
    masks = [values(one.mask) > 0 for one in (sick, healthy)]
    assert 2 * (masks[0] & masks[1]).sum() / (masks[0].sum() + masks[1].sum()) > 0.985


def test_an_acute_infarct_is_bright_on_flair_and_an_old_one_a_cavity_with_a_bright_rim() -> None:
    acute, chronic = head(ACUTE, "stroke"), head(CHRONIC, "stroke")
    for study, phase in ((acute, "acute"), (chronic, "chronic")):
        told = study.description["disease"]
        assert (told["phase"], told["territory"]) == (phase, "middle cerebral artery")
    where = values(acute.lesions) > 0
    assert np.median(values(acute.images["FLAIR"])[where]) > 1.1 * medians(acute, "FLAIR")[GREY]
    where = values(chronic.lesions) > 0
    inner = ndimage.binary_erosion(where, iterations=2)
    flair = values(chronic.images["FLAIR"])
    assert np.median(flair[inner]) < 0.7 * medians(chronic, "FLAIR")[WHITE_MATTER]
    assert np.percentile(flair[where & ~inner], 80) > medians(chronic, "FLAIR")[WHITE_MATTER]


def test_the_description_says_what_the_mask_shows() -> None:
    study = head(OLD, "mass")
    labels = values(study.lesions).astype(int)
    voxel_ml = VOXEL_MM**3 / 1000
    told = dict.fromkeys(LABELS.values(), 0.0)
    for lesion in study.description["lesions"]:
        for name, volume in lesion["kinds_ml"].items():
            told[name] += volume
        index = study.lesions.TransformPhysicalPointToContinuousIndex(lesion["centre_lps_mm"])
        assert all(0 <= i < n for i, n in zip(index, study.lesions.GetSize()))
    for value, name in LABELS.items():
        assert told[name] == pytest.approx((labels == value).sum() * voxel_ml, abs=0.02)


def test_right_and_left_are_not_exchanged_on_the_way_to_the_file(tmp_path: Path) -> None:
    """nibabel's world is RAS: x grows to the right of the patient, z upwards."""
    study = head(OLD, "mass")
    (lesion, *_) = sorted(study.description["lesions"], key=lambda one: -one["volume_ml"])
    for name, image in (("SEG", study.lesions), ("tissue", study.tissue)):
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    seg, of = (nibabel.load(tmp_path / f"{name}.nii.gz") for name in ("SEG", "tissue"))
    assert isinstance(seg, nibabel.Nifti1Image)
    assert isinstance(of, nibabel.Nifti1Image)

    def centre(where: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        found = nibabel.affines.apply_affine(seg.affine, np.argwhere(where).mean(axis=0))
        return np.asarray(found)

    brain, sick = centre(of.get_fdata() > 0), centre(seg.get_fdata() > 0)
    assert ("right" in lesion["site"]) == (sick[0] > brain[0])
    # The cerebellum lies behind and below, whichever way the head is tilted.
    whole = of.get_fdata() > 0
    low = whole & (np.arange(whole.shape[2]) < np.argwhere(whole)[:, 2].min() + 8)
    assert centre(low)[1] < brain[1]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"seed": -1}, "-1"),
        ({"seed": True}, "True"),
        ({"seed": 1, "disease": "headache"}, "headache"),
        ({"seed": 1, "disease": "mass", "healthy": True}, "healthy"),
        ({"seed": 1, "contrasts": []}, "none"),
        ({"seed": 1, "contrasts": ["T1w", "SWI"]}, "SWI"),
        ({"seed": 1, "contrasts": ["T1w", "T1w"]}, "T1w, T1w"),
        ({"seed": 1, "voxel_mm": 0.1}, "0.1 mm"),
        ({"seed": 1, "voxel_mm": float("nan")}, "nan mm"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_value_named(
    options: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        generate_brain(**options)  # type: ignore[arg-type]  # what a caller can get wrong


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--disease", "mass"], "--disease is for brain phantoms"),
        (["--skull-stripped"], "--skull-stripped is for brain phantoms"),
        (["--kind", "brain", "--disease", "gout"], "no disease 'gout'"),
        (["--kind", "brain", "--contrast", "CT"], "CT"),
        (["--kind", "brain", "--voxel", "9"], "9.0 mm"),
        (["--kind", "brain", "--voxel", "wide"], "'wide' is not a number"),
        (["--kind", "foot"], "'foot'"),
    ],
)
def test_the_command_refuses_it_too_and_writes_nothing(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cohort"
    arguments = ["phantom", "--out", str(out), "--count", "1", "--seed", "1", *options]
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_without_nilearn_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_absent("nilearn", (), monkeypatch)
    out = tmp_path / "cohort"
    arguments = ["phantom", "--kind", "brain", "--out", str(out), "--count", "1", "--seed", "1"]
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert "nilearn" in said
    assert "petanomaly[brain]" in said
    assert not out.exists()


def test_the_command_writes_a_cohort_of_whole_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["phantom", "--kind", "brain", "--out", str(tmp_path), "--count", "1", "--seed",
                 str(OLD), "--disease", "plaques", "--contrast", "FLAIR", "--voxel",
                 str(VOXEL_MM), "--skull-stripped", "--json"]  # fmt: skip
    assert cli.main(arguments) == 0
    (told,) = json.loads(capsys.readouterr().out)
    folder = tmp_path / f"brain-{OLD}" / "0"
    assert told["path"] == str(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "FLAIR.nii.gz",
        "MASK.nii.gz",
        "SEG.nii.gz",
        "description.json",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["0"]  # nothing half-written beside
    assert json.loads((folder / "description.json").read_text("utf-8")) == told["description"]
    assert told["lesion_count"] == len(told["description"]["lesions"])
    assert cli.main(["cohort", "check", str(tmp_path)]) == 0
    assert "1 of 1 studies are usable" in capsys.readouterr().out
    # Of one seed a contrast is the same, whichever others are made; stripping takes the rest away.
    alone, mask, lesions = (
        values(sitk.ReadImage(str(folder / f"{name}.nii.gz"))) for name in ("FLAIR", "MASK", "SEG")
    )
    among = head(OLD, "plaques")
    assert np.array_equal(alone, values(among.images["FLAIR"]) * values(among.mask))
    assert np.array_equal(mask, values(among.mask))
    assert np.array_equal(lesions, values(among.lesions))


def digest(study: BrainStudy) -> str:
    every = [*study.images.values(), study.mask, study.lesions]
    text = json.dumps([study.description, study.mask.GetOrigin()], sort_keys=True)
    parts = [sitk.GetArrayFromImage(image).tobytes() for image in every]
    return hashlib.sha256(b"".join(parts) + text.encode()).hexdigest()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process_with_other_threads() -> None:
    script = "import test_brain_phantom as t; print(t.digest(t.head(t.OLD, 'mass')))"
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(TESTING / "support"), str(MODULE)])
    threads = "1" if os.environ.get("OMP_NUM_THREADS") != "1" else "2"
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": threads}
    other = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(head(OLD, "mass"))
    assert digest(head(OLD, "mass")) != digest(head(YOUNG, "mass"))


@pytest.mark.slow
def test_a_fine_head_is_the_coarse_one_with_more_voxels() -> None:
    coarse = head(OLD, "mass").description
    fine = generate_brain(OLD, disease="mass", contrasts=["T1w"], voxel_mm=1.0).description
    for name in ("sex", "age", "disease", "protocol"):
        assert fine[name] == coarse[name]
    for name, volume in coarse["volumes_ml"].items():
        assert fine["volumes_ml"][name] == pytest.approx(volume, rel=0.06), name


def test_a_cohort_of_nothing_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="count"):
        write_brain_cohort(tmp_path / "cohort", 0, 1)
    assert not (tmp_path / "cohort").exists()


def test_csf_is_a_value_of_the_tissues_of_its_own() -> None:
    of = values(head(YOUNG).tissue)
    assert set(np.unique(of)) == {0, CSF, GREY, WHITE_MATTER, VENTRICLE}
