"""Which studies are refused, warned of, or taken without a word: flips, wrong CTs, foreign ones.

    python Testing/experiments/fit.py OUT.json [--phantoms 20] [--first 1000001]
        [--model petct-phantom] [--untouched]

Every phantom as it is, its PET (with its CT) flipped along each axis and 1.3 times too big, its PET
with a wrong CT, its uptake as PSMA's, and a brain alone. Judged as `detect` judges before anything
is drawn: alignment, orientation and CT by themselves (`--model none`), and with the model's
familiarity. The table is printed; `OUT.json` keeps each verdict, and what is there is not done
again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from unittest import mock

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import DEFAULT_MODEL, find_bundle
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.familiarity import familiarity
from PETAnomalyLib.engine.frame.study_fit import study_fit
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.phantom import study as phantom_study
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.patient.uptake import Uptake
from PETAnomalyLib.engine.publishing.familiarity import Judge
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import Study

PETandCT = tuple[sitk.Image, sitk.Image]

FLIPS = {
    "mirrored left to right": (0,),
    "mirrored front to back": (1,),
    "turned about the long axis (prone)": (0, 1),
    "upside down": (2,),
    "upside down, turned": (1, 2),
    "upside down, mirrored": (0, 2),
    "all axes flipped": (0, 1, 2),
}
"""Axes x, y, z whose voxels are stored the other way round, the geometry as it was."""

# SUV as PSMA ligands show it: kidneys, bowel and glands hot, brain and myocardium cold.
PSMA = {
    Organ.KIDNEY: 30.0, Organ.PAROTID: 14.0, Organ.SUBMANDIBULAR_GLAND: 14.0,
    Organ.SUBLINGUAL_GLAND: 10.0, Organ.LACRIMAL_GLAND: 10.0, Organ.SMALL_BOWEL: 9.0,
    Organ.SPLEEN: 7.0, Organ.LIVER: 5.0, Organ.BRAIN: 0.2, Organ.CEREBELLUM: 0.2,
    Organ.MYOCARDIUM: 1.0, Organ.MARROW: 0.5, Organ.MUSCLE: 0.5,
}  # fmt: skip


@dataclass(frozen=True)
class PsmaUptake(Uptake):
    """The patient's uptake of a PSMA ligand; of organs that are not in `PSMA` that of FDG."""

    def of(self, organ: Organ) -> float:
        """See `Uptake`."""
        return PSMA.get(organ, super().of(organ))


def flipped(image: sitk.Image, axes: tuple[int, ...]) -> sitk.Image:
    """The voxels the other way round along axes, the geometry as it was."""
    result = sitk.Flip(image, [axis in axes for axis in range(3)])
    result.CopyInformation(image)
    return result


def scaled(image: sitk.Image, scale: float) -> sitk.Image:
    """The same voxels, said to be `scale` times as large."""
    result = sitk.Image(image)
    result.SetSpacing([mm * scale for mm in image.GetSpacing()])
    result.SetOrigin([mm * scale for mm in image.GetOrigin()])
    return result


def twice_as_big(image: sitk.Image) -> sitk.Image:
    """On the same grid, magnified about its middle."""
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    shrink = sitk.ScaleTransform(3, (0.5, 0.5, 0.5))
    shrink.SetCenter(middle)
    return sitk.Resample(image, image, shrink, sitk.sitkLinear, -1000.0)


def laid_on(image: sitk.Image, other: sitk.Image) -> sitk.Image:
    """Another patient's CT, its middle where this one's is."""
    moved = sitk.Image(image)
    middles = [
        np.array(one.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in one.GetSize()]))
        for one in (image, other)
    ]
    moved.SetOrigin([float(o) for o in np.array(image.GetOrigin()) + middles[1] - middles[0]])
    return moved


def psma_like(seed: int) -> PETandCT:
    """The same patient, injected with another tracer."""

    def drawn(number: int) -> Patient:
        patient = draw_patient(number)
        fdg = patient.uptake
        drawn_with = {field.name: getattr(fdg, field.name) for field in fields(fdg)}
        return replace(patient, uptake=PsmaUptake(**drawn_with))

    with mock.patch.object(phantom_study, "draw_patient", drawn):
        phantom = generate(seed)
    return phantom.suv, phantom.ct


def brain_alone(like: sitk.Image, seed: int) -> sitk.Image:
    """A head of SUV 0.8 with grey matter of SUV 8, on a grid of 3 mm."""
    rng = np.random.default_rng(seed)
    grid = np.indices((80, 80, 80)).astype(np.float32) - 40 + rng.normal(0, 2, (3, 1, 1, 1))
    radius = np.sqrt((grid**2 / (np.array([26, 30, 24])[:, None, None, None]) ** 2).sum(0))
    suv = 0.8 * (radius < 1.15) + 7.2 * ((radius < 1.0) & (radius > 0.6)) + 3.0 * (radius <= 0.6)
    image = sitk.GetImageFromArray(suv.astype(np.float32))
    image.SetSpacing((3.0, 3.0, 3.0))
    image.SetOrigin(like.GetOrigin())
    return sitk.SmoothingRecursiveGaussian(image, 3.0)


def variants(seed: int) -> Iterator[tuple[str, sitk.Image, sitk.Image | None]]:
    """A name, a PET and a CT or None, of everything that is made of one phantom."""
    own = generate(seed)
    pet, ct = own.suv, own.ct
    yield "untouched", pet, ct
    for name, axes in FLIPS.items():
        yield f"PET and CT {name}", flipped(pet, axes), flipped(ct, axes)
    yield "PET and CT 1.3 times too big", scaled(pet, 1.3), scaled(ct, 1.3)
    for name in ("mirrored left to right", "mirrored front to back", "upside down"):
        yield f"CT {name}", pet, flipped(ct, FLIPS[name])
    yield "CT of another patient", pet, laid_on(generate(seed + 500_000).ct, pet)
    yield "CT twice as big", pet, twice_as_big(ct)
    noise = sitk.GetImageFromArray(
        np.random.default_rng(seed)
        .normal(0, 500, sitk.GetArrayViewFromImage(ct).shape)
        .astype(np.float32)
    )
    noise.CopyInformation(ct)
    yield "CT of noise", pet, noise
    for offset in (1024.0, -1024.0):
        yield f"CT off by {offset:+.0f} HU", pet, ct + offset
    yield "uptake as PSMA's", *psma_like(seed)
    yield "brain alone", brain_alone(pet, seed), None


class Verdicts:
    """Judges studies as `detect` does before anything is drawn."""

    def __init__(self, bundle: Bundle, with_model: bool) -> None:
        self._bundle = bundle
        self._template = read_float_image(bundle.template)
        self._judge = Judge(bundle, SilentReporter()) if with_model else None

    def of(self, pet: sitk.Image, ct: sitk.Image | None) -> str:
        """`refused`, `warned` or nothing."""
        study = Study(pet, ct, {}, ())
        try:
            alignment = align(pet, self._template)
        except InputError:
            return "refused"
        doubts = study_fit(study, self._template, alignment).doubts
        if any(doubt.refused for doubt in doubts):
            return "refused"
        if doubts or alignment.warnings:
            return "warned"
        needs_ct = self._bundle.ct == "required"
        known = self._bundle.familiarity
        if self._judge is None or known is None or (needs_ct and ct is None):
            return ""
        values = self._judge.measures_of(study, alignment)
        return "warned" if familiarity(values, known).unfamiliar else ""


def table(found: dict[str, dict[str, str]]) -> str:
    """Markdown: how many of each kind were refused, warned of, taken without a word."""
    kinds = list(next(iter(found.values())))
    lines = ["| study | refused | warned of | without a word |", "|---|---|---|---|"]
    for kind in kinds:
        verdicts = [one[kind] for one in found.values() if kind in one]
        counts = [verdicts.count(verdict) for verdict in ("refused", "warned", "")]
        lines.append(f"| {kind} | {' | '.join(str(n) for n in counts)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=20)
    parser.add_argument("--first", type=int, default=1_000_001)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="none: without a model's networks")
    parser.add_argument("--untouched", action="store_true", help="only as they are: false alarms")
    options = parser.parse_args()
    without = options.model == "none"
    verdicts = Verdicts(find_bundle(DEFAULT_MODEL if without else options.model), not without)
    found = json.loads(options.out.read_text()) if options.out.exists() else {}
    for seed in range(options.first, options.first + options.phantoms):
        if str(seed) not in found:
            chosen = islice(variants(seed), 1 if options.untouched else None)
            found[str(seed)] = {name: verdicts.of(pet, ct) for name, pet, ct in chosen}
            options.out.write_text(json.dumps(found, indent=1))
    print(table(found))


if __name__ == "__main__":
    main()
