"""MTV and TLG of drawings with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.evaluation.metrics import count_findings
from PETAnomalyLib.engine.evaluation.volume_errors import (
    StudyVolumes,
    Volume,
    study_volumes,
    volume_errors,
)


def test_volumes_of_lesions_findings_and_hits() -> None:
    truth = np.array([[[1, 1, 0, 2, 0, 0]]])
    labels = np.array([[[0, 5, 5, 0, 0, 3]]])
    pet = np.array([[[4, 6, 2, 9, 1, 3]]], np.float32)
    found = study_volumes(pet, 0.5, labels, truth, count_findings(labels, truth))
    assert found.true == Volume(1.5, 0.5 * (4 + 6 + 9))
    assert found.drawn == Volume(1.5, 0.5 * (6 + 2 + 3))
    assert found.hit_true == Volume(1.0, 0.5 * (4 + 6))
    assert found.hit_drawn == Volume(1.0, 0.5 * (6 + 2))


def test_errors_that_cancel_in_the_mean_do_not_in_the_absolute() -> None:
    def study(true: float, drawn: float, hit: tuple[float, float]) -> StudyVolumes:
        return StudyVolumes(
            *(Volume(ml, 10 * ml) for ml in (true, drawn, *hit)),
        )

    found = volume_errors([study(4, 6, (4, 6)), study(4, 2, (2, 2)), study(0, 0, (0, 0))])
    assert (found.mtv_bias_ml, found.tlg_bias_g) == (0, 0)
    assert found.mtv_error_ml == pytest.approx(4 / 3)
    assert found.tlg_error_g == pytest.approx(40 / 3)
    assert found.hit_mtv_ratio == pytest.approx(8 / 6)
    assert volume_errors([study(4, 2, (0, 0))]).hit_mtv_ratio is None
