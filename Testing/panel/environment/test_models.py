from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from open_panel import onlyResidual
from PETAnomalyLib.panel.environment import models
from repository import MODULE, ROOT, TESTING
from stub_bundles import model

pytestmark = pytest.mark.usefixtures("scene")


def test_the_card_says_what_needs_to_be_known_and_escapes_what_others_wrote() -> None:
    card = models.card(model())
    assert "1000 phantoms &lt;made here&gt;" in card
    assert "PET (SUVbw) and CT" in card
    assert "53 x 41 x 86 cm in voxels of 6 mm" in card  # 88 x 68 x 144 voxels of 6 mm
    assert "best dice 0.50" in card
    assert "Research use only." in card


def test_the_card_names_the_models_hash_and_shows_no_control_characters() -> None:
    marked = model()
    marked.manifest.update(
        data_source="\u202egnp.exe\x1b[2J", eval_metrics={"\u2066dice": "\x9b31m"}
    )
    card = models.card(marked)
    assert f">{marked.sha256[:16]}<" in card
    assert card.isprintable()


def test_a_scorer_that_needs_several_versions_is_refused_with_the_way_out() -> None:
    reason = models.whyNoScorer(onlyResidual(), "kde")
    assert "several healed versions" in reason
    assert "Choose Residual" in reason
    assert models.whyNoScorer(onlyResidual(), "residual") == ""


def test_a_z_score_by_norms_is_told_from_one_by_healed_versions() -> None:
    norms = model(contrast="T1w", normative=(Path("mean"), Path("std")))
    assert "healthy heads" in models.scorerHelp(norms, "zscore")
    for other in (model(), model(contrast="T1w")):
        assert "healed versions" in models.scorerHelp(other, "zscore")


def test_every_shipped_model_is_usable_in_a_slicer_without_torch() -> None:
    """A process of its own: in this one other tests have entered the families."""
    program = (
        f"import sys; sys.path[:0] = [{str(TESTING)!r}, {str(MODULE)!r}]\n"
        "sys.modules['torch'] = sys.modules['monai'] = None\n"
        "import harness; harness.start()\n"
        "from PETAnomalyLib.panel.environment.models import InstalledModels\n"
        "print(*(model.name for model in InstalledModels().all()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    shipped = (ROOT / "Resources" / "Models").glob("*/configs")
    assert {folder.parent.name for folder in shipped} <= set(done.stdout.split())
