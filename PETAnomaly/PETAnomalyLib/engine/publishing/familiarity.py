"""`petanomaly calibrate --familiarity`: how studies of a model's own kind look to it.

Each study is aligned, encoded and judged by likelihood passes; nothing is drawn. What was measured
of a study stands in a line of its own beside the result, so that a run that was stopped goes on
where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk
import torch

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.families.fallback import heal_within_memory
from PETAnomalyLib.engine.families.healer import Array, HealingRequest, Judged
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.frame.alignment import Alignment, align
from PETAnomalyLib.engine.frame.familiarity import distribution
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.judgement import borders_of, measures
from PETAnomalyLib.engine.runtime.devices import choose_device, use_physical_cores
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import require_writable, write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, require_ct
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import Study, read_study

FEWEST_STUDIES = 20


class _JudgedEnough(Exception):  # noqa: N818 - it stops a healing that went well
    """The study has been judged: it need not be healed."""


def calibrate_familiarity(
    bundle: Bundle, studies: Sequence[CohortStudy], out: Path, reporter: Reporter
) -> dict[str, Any]:
    """Measure the studies and put the section `familiarity` into `out` (JSON).

    Args:
        bundle: the model, with its thresholds.
        studies: of the kind that it was made for, kept out of training; at least 20, better 300.
        out: the JSON file; what it holds beside this section stays.
        reporter: told of the progress.

    Returns:
        The section, as in a bundle's manifest.

    Raises:
        InputError: too few studies, one that cannot be read or that lacks the CT that the model
            needs, a file that cannot be read or written, a model that tells nothing of a study.
    """
    if len(studies) < FEWEST_STUDIES:
        raise InputError(
            f"{len(studies)} studies are too few to know how studies of a kind differ",
            f"give at least {FEWEST_STUDIES} studies that no network was trained on",
        )
    if bundle.ct == "required":
        require_ct(studies, "choose a model without CT")
    require_writable(out)
    beside = out.with_name(f"{out.name}.studies")
    known = _known(beside, bundle)
    reporter.stage("judge", f"Judging {len(studies)} studies")
    judge = Judge(bundle, reporter)
    for number, study in enumerate(studies):
        if study.name not in known:
            known[study.name] = judge.measures_of_file(study)
            lines = [json.dumps({"model": bundle.sha256, "study": n, "values": v})
                     for n, v in known.items()]  # fmt: skip
            write_whole(beside, "\n".join(lines) + "\n")
        reporter.progress((number + 1) / len(studies))
        reporter.check_cancelled()
    section = {
        **distribution([known[study.name] for study in studies]),
        "borders_mm": borders_of(bundle, judge.template).values(),
    }
    earlier = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    write_whole(out, json.dumps({**earlier, "familiarity": section}, indent=2) + "\n")
    beside.unlink(missing_ok=True)
    return section


def _known(beside: Path, bundle: Bundle) -> dict[str, dict[str, float]]:
    """What an earlier run of the same model measured, by study."""
    if not beside.exists():
        return {}
    lines = [json.loads(line) for line in beside.read_text(encoding="utf-8").splitlines()]
    return {one["study"]: one["values"] for one in lines if one["model"] == bundle.sha256}


class Judge:
    """Judges one study after the other, on the device that memory allows."""

    def __init__(self, bundle: Bundle, reporter: Reporter) -> None:
        self.template: sitk.Image = read_float_image(bundle.template)
        self._bundle = bundle
        self._model = LoadedModel(bundle)
        self._reporter = reporter
        self._device: torch.device = choose_device("auto")
        use_physical_cores()

    def measures_of_file(self, study: CohortStudy) -> dict[str, float]:
        """The measures of one study of a cohort.

        Raises:
            InputError: it cannot be read or aligned, or the model tells nothing of it.
        """
        read = read_study(study.pet, study.ct if self._bundle.ct == "required" else None)
        return self.measures_of(read, align(read.pet, self.template))

    def measures_of(self, study: Study, alignment: Alignment) -> dict[str, float]:
        """The measures of an aligned study.

        Raises:
            InputError: the model tells nothing of it.
        """
        ct: Array | None
        image, ct = model_input(study, self.template, alignment, self._bundle.intensity)
        if self._bundle.ct != "required":
            ct = None
        found: list[Judged] = []

        def keep(judged: Judged) -> None:
            found.append(judged)
            raise _JudgedEnough

        request = HealingRequest(
            samples=1,
            decodes=1,
            seed=0,
            resampling_threshold=self._bundle.thresholds.get("resampling", 1.0),
            samples_at_once=1,
            on_judged=keep,
        )
        try:
            heal_within_memory(
                self._model, self._device, image, ct, request, self._go_on, self._warn
            )
        except _JudgedEnough:
            return measures(self._bundle, self.template, found[0])
        raise InputError(
            f"the model '{self._bundle.name}' tells nothing of a study before it heals",
            "models of its family have no familiarity",
        )

    def _go_on(self, _share: float) -> None:
        self._reporter.check_cancelled()

    def _warn(self, message: str) -> None:
        self._reporter.log("warning", message)
