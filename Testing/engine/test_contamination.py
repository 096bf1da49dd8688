"""The contamination experiment's cohorts, and what its table and figure say."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import contamination
import numpy as np
import pytest
from contamination import MAPS, SHARES, WAYS, cohort_with, masked_against_plain, measured
from PETAnomalyLib.engine.evaluation.metrics import (
    VoxelCounts,
    count_voxels,
    stacked,
    thresholds_of,
)
from PIL import Image

STUDIES = 12


def counts(separation: float, seed: int) -> VoxelCounts:
    """Twelve studies in whose maps lesions stand out by `separation` standard deviations."""
    random = np.random.default_rng(seed)
    truth = np.arange(400) < 20
    scores = [random.normal(truth * separation).astype(np.float32) for _ in range(STUDIES)]
    thresholds = thresholds_of(np.concatenate([score[truth] for score in scores]))
    return stacked([count_voxels(score, truth, thresholds) for score in scores])


@pytest.fixture(scope="module")
def of_models() -> dict[str, dict[str, VoxelCounts]]:
    """Plain training loses with the share of patients with lesions; masking does not."""
    return {
        f"{share}-{way}": {
            kind: counts(3.0 - (share / 50 if way == "plain" else 0), seed=share)
            for kind in MAPS
        }
        for share in SHARES
        for way in WAYS
    }  # fmt: skip


def test_what_masking_saves_is_positive_and_told_from_chance(
    of_models: dict[str, dict[str, VoxelCounts]],
) -> None:
    ways = measured(of_models)
    for differences in masked_against_plain(ways, SHARES).values():
        at_none, *_, at_all = differences
        assert at_none.p is None  # the very same maps: nothing to test
        assert at_all.mean_difference > 0.2
        assert at_all.p is not None
        assert at_all.p < 0.001
        assert at_all.studies == STUDIES


def test_the_table_has_a_line_for_each_map_and_share(
    of_models: dict[str, dict[str, VoxelCounts]], tmp_path: Path
) -> None:
    ways = measured(of_models)
    text = contamination.write_results(ways, tmp_path / "contamination-7", SHARES)
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]
    ]
    assert [row[:2] for row in cells] == [[kind, f"{share} %"] for kind in MAPS for share in SHARES]
    for row in cells:
        share = row[1].removesuffix(" %")
        for way, cell in zip(WAYS, row[2:]):
            value = ways[f"{share}-{way} {row[0]}"].estimates["auprc"].value
            assert float(cell.split()[0]) == pytest.approx(value, abs=5e-4)
    written = json.loads((tmp_path / "contamination-7.json").read_text())
    assert set(written["auprc"]) == set(ways)
    drawn = Image.open(tmp_path / "contamination-7.png").convert("RGB")
    colours = drawn.getcolors(maxcolors=2**24)
    assert colours is not None
    assert len(colours) > 10  # more than paper and ink


def test_a_cohort_has_its_share_of_lesions_and_every_patient_once(tmp_path: Path) -> None:
    names = [f"phantom-{n}" for n in range(8)]
    with_lesions: list[set[str]] = []
    for share in SHARES:
        cohort = cohort_with(tmp_path, names, share)
        kinds = dict(path.name.rsplit("-", 1) for path in cohort.iterdir())
        assert set(kinds) == set(names)
        for name, kind in kinds.items():
            link = cohort / f"{name}-{kind}" / "0"
            assert link.readlink() == (tmp_path / kind / name / "0").resolve()
        with_lesions.append({name for name, kind in kinds.items() if kind == "lesions"})
        assert len(with_lesions[-1]) == 8 * share // 100
    # Each share adds patients to the one before: what differs is the lesions alone.
    assert all(less < more for less, more in pairwise(with_lesions))
