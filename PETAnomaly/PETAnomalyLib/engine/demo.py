"""`make demo`: a synthetic patient that no model has seen, and what the default model finds in it.

    python -m PETAnomalyLib.engine.demo

Writes `demo/<patient>/<study>/` (the study and its true lesions) and `demo/result/` (what
`petanomaly detect` writes), then prints the findings beside the truth.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.cli import main as petanomaly
from PETAnomalyLib.engine.phantom import write_cohort
from PETAnomalyLib.engine.study.image_file import read_image_file

SEED = 2_000_049  # models are trained on seeds below 100,000 and calibrated on 500,000 and above
FOLDER = Path("demo")


@dataclass(frozen=True)
class Match:
    """What the findings make of one true lesion.

    Attributes:
        lesion: its number in the truth.
        suv_max: its highest SUV (g/ml).
        volume_ml: its true volume.
        findings: numbers of the findings that overlap it.
        dice: overlap of the lesion with these findings together, 0 to 1.
    """

    lesion: int
    suv_max: float
    volume_ml: float
    findings: tuple[int, ...]
    dice: float


def match_lesions(
    truth: NDArray[Any], findings: NDArray[Any], suv: NDArray[Any], voxel_ml: float
) -> list[Match]:
    """Which findings hit which true lesion.

    Args:
        truth: labels of the true lesions (k, j, i), 0 elsewhere.
        findings: labels of the findings on the same grid.
        suv: the PET on the same grid (g/ml).
        voxel_ml: volume of a voxel.

    Returns:
        One match a lesion, the largest first.
    """
    matches = []
    for lesion in np.unique(truth[truth > 0]):
        inside = truth == lesion
        hits = np.unique(findings[inside & (findings > 0)])
        found = np.isin(findings, hits) & (findings > 0)
        overlap = 2 * np.count_nonzero(found & inside)
        matches.append(
            Match(
                lesion=int(lesion),
                suv_max=float(suv[inside].max()),
                volume_ml=np.count_nonzero(inside) * voxel_ml,
                findings=tuple(int(hit) for hit in hits),
                dice=overlap / (np.count_nonzero(found) + np.count_nonzero(inside)),
            )
        )
    return sorted(matches, key=lambda match: -match.volume_ml)


def main() -> int:
    """Run the demonstration; returns the exit code."""
    print(f"A synthetic patient (seed {SEED}) that no model was trained on ...", flush=True)
    (study,) = write_cohort(FOLDER, 1, SEED)
    patient = Path(study["path"])
    result = FOLDER / "result"
    command = [
        "detect",
        "--pet",
        str(patient / "SUV.nii.gz"),
        "--ct",
        str(patient / "CTres.nii.gz"),
    ]
    command += ["--out", str(result)]
    print("$ petanomaly " + " ".join(command), flush=True)
    code = petanomaly(command)
    if code:
        return code
    _print_findings_beside_truth(patient, result)
    print(f"\nEverything is in {result.resolve()}")
    print(f"The picture is   {(result / 'overview.png').resolve()}")
    return 0


def _print_findings_beside_truth(patient: Path, result: Path) -> None:
    lesions = sitk.ConnectedComponent(read_image_file(patient / "SEG.nii.gz")[0] > 0, True)
    pet = read_image_file(patient / "SUV.nii.gz")[0]
    segments = read_image_file(result / "segmentation.seg.nrrd")[0]
    matches = match_lesions(
        sitk.GetArrayViewFromImage(lesions),
        sitk.GetArrayViewFromImage(segments),
        sitk.GetArrayViewFromImage(pet),
        float(np.prod(pet.GetSpacing())) / 1000,
    )
    lesion_of = {finding: match.lesion for match in matches for finding in match.findings}
    with (result / "findings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    print(f"\n{len(rows)} findings\n  no.  SUVmax  SUVpeak  MTV ml   TLG g  score max  true lesion")
    for row in rows:
        number = int(row["number"])
        lesion = f"lesion {lesion_of[number]}" if number in lesion_of else "-"
        suv_max, suv_peak = float(row["suv_max"]), float(row["suv_peak"])
        mtv, tlg, score = (float(row[name]) for name in ("mtv_ml", "tlg_g", "score_max"))
        print(
            f"  {number:3d}  {suv_max:6.1f}  {suv_peak:7.1f}  {mtv:6.1f}  {tlg:6.1f}  {score:9.2f}"
            f"  {lesion}"
        )
    print(
        f"\n{len(matches)} true lesions, the largest first\n  no.  SUVmax      ml  Dice  findings"
    )
    for match in matches:
        hit = ", ".join(str(number) for number in match.findings) or "missed"
        print(
            f"  {match.lesion:3d}  {match.suv_max:6.1f}  {match.volume_ml:6.1f}  {match.dice:.2f}"
            f"  {hit}"
        )


if __name__ == "__main__":
    sys.exit(main())
