"""What was chosen wins; what was not is the bundle's."""

from __future__ import annotations

import pytest
from PETAnomalyLib.engine.detection_settings import DetectionSettings, resolve
from PETAnomalyLib.engine.runtime.errors import InputError
from stub_bundles import model


def test_what_was_not_chosen_is_what_the_bundle_was_calibrated_for() -> None:
    thresholds = {"resampling": 5.0, "scorers": {"residual": 0.2, "kde": 3.0}}
    bundle = model(scorers=("residual", "kde"), thresholds=thresholds, samples=7, decodes=3)
    resolved = resolve(DetectionSettings(), bundle)
    assert (resolved.scorer, resolved.threshold) == ("residual", 0.2)  # the model's best is first
    assert (resolved.samples, resolved.decodes, resolved.min_volume_ml) == (7, 3, 0.5)
    assert resolved.resampling_threshold == 5.0


def test_a_choice_of_zero_is_a_choice() -> None:
    settings = DetectionSettings(scorer="zscore", threshold=0.0, min_volume_ml=0.0, grow=0.0)
    resolved = resolve(settings, model())
    assert (resolved.threshold, resolved.min_volume_ml, resolved.grow) == (0.0, 0.0, 0.0)


def test_each_scorer_has_the_threshold_of_its_own_map() -> None:
    for scorer, threshold in (("kde", 3.0), ("zscore", 4.0), ("residual", 0.2)):
        assert resolve(DetectionSettings(scorer=scorer), model()).threshold == threshold


def test_a_scorer_that_the_model_lacks_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(InputError, match="cannot give the scorer 'kde'") as refused:
        resolve(DetectionSettings(scorer="kde"), model(scorers=("residual",)))
    assert "it offers residual" in refused.value.hint
