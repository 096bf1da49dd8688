"""A finished run's folder, read back on a worker thread: maps, mask, labels, findings, report."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.parameters import SCORERS
from PETAnomalyLib.panel.scene.finding_kinds import findingFromText, kindOfColumns
from PETAnomalyLib.panel.scene.hatching import Hatching, hatched
from PETAnomalyLib.panel.scene.label_block import LabelBlock, cutOut


@dataclass(frozen=True)
class Results:
    """What `petanomaly detect` left in its folder (DESIGN section 4), on the grid of PET or MR.

    Attributes:
        maps: by scorer; float32. A map that the model can't give is absent.
        scoredMask: uint8, non-zero in the model's field of view; None when not written.
        labels: the findings' numbers.
        findings: rows of findings.csv.
        kind: what they are, also where there are none.
        report: report.json.
        sites: of the findings, in their order; empty where the model can't tell.
        hatching: where the study is unlike what the model knows; None for nowhere.
    """

    maps: dict[str, sitk.Image]
    scoredMask: sitk.Image | None
    labels: LabelBlock
    findings: list[Any]
    report: dict = field(default_factory=dict)
    sites: Sequence[str] = ()
    hatching: Hatching | None = None
    kind: type = Finding

    @property
    def warnings(self) -> list[str]:
        """What the engine found suspicious but usable."""
        return [str(warning) for warning in self.report.get("warnings", [])]

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting that the run used, from report.json."""
        value = self.report.get("settings", {}).get(name, default)
        return default if value is None else value


def readResults(folder: Path, work: Work) -> Results:
    """Read a result folder.

    Raises:
        Abandoned: nobody waits for it any more.
        InputError: the folder holds no map, or a file that can't be read.
    """
    maps = {}
    for scorer in SCORERS:
        path = folder / f"{scorer}.nii.gz"
        if path.exists():
            maps[scorer] = _readImage(path)
        work.check()
    if not maps:
        raise InputError(
            f"The run left no anomaly map in {folder}.", "Look at the log; run Detect again."
        )
    maskPath = folder / "scored_mask.nii.gz"
    mask = _readImage(maskPath) if maskPath.exists() else None
    work.check()
    hatching = None
    if mask is not None:
        hatching = hatched(sitk.GetArrayViewFromImage(mask), mask.GetSpacing())
    work.check()
    segmentation = _readImage(folder / "segmentation.seg.nrrd")
    labels = cutOut(sitk.GetArrayViewFromImage(segmentation))
    table = folder / "findings.csv"
    kind, findings = readFindings(table)
    return Results(
        maps,
        mask,
        labels,
        findings,
        _report(folder / "report.json"),
        readSites(table),
        hatching,
        kind,
    )


def _report(path: Path) -> dict:
    if not path.exists():
        return {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(report, dict):
        raise _unreadable(path, "it's no JSON object")
    return report


def readFindings(path: Path) -> tuple[type, list[Any]]:
    """What a findings.csv that `measures.write_csv` wrote has rows of, and its rows.

    Raises:
        InputError: the file is missing, cut off or not such a table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            kind = kindOfColumns(reader.fieldnames or ())
            if kind is not None:
                return kind, [findingFromText(kind, row) for row in reader]
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise _unreadable(path, str(error)) from error
    raise _unreadable(path, "it has other columns")


def readSites(path: Path) -> list[str]:
    """The column `site` of a findings.csv that can be read; empty without it."""
    with path.open(encoding="utf-8", newline="") as file:
        sites = [row.get(SITE) for row in csv.DictReader(file)]
    return [site for site in sites if site is not None]


def _readImage(path: Path) -> sitk.Image:
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise _unreadable(path, str(error).splitlines()[-1]) from error


def _unreadable(path: Path, why: str) -> InputError:
    return InputError(
        f"{path.name} of the run can't be read ({why}).", "Is the disk full? Run Detect again."
    )
