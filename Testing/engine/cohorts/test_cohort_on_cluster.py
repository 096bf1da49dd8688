"""A cohort on a Dask cluster of two worker processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cohorts.cohort_detection import detect_cohort
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.cluster import open_cluster
from PETAnomalyLib.engine.runtime.reporter import SilentReporter

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

STUDIES = 5


@pytest.fixture
def scheduler() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def kill_the_first_worker_in_mid_study(out: Path, killed: list[int]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and not killed:
        for partial in out.glob(".*.partial-*"):
            process = int(partial.name.rpartition("-")[2])
            os.kill(process, signal.SIGKILL)
            killed.append(process)
            return
        time.sleep(0.005)


def test_a_killed_workers_study_is_done_by_another_and_nothing_is_half(
    scheduler: str, tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    for n in range(STUDIES):
        place = tmp_path / "cohort" / f"p{n}" / "0"
        place.mkdir(parents=True)
        (place / "SUV.nii.gz").symlink_to(tiny_study / "SUV.nii.gz")
    out = tmp_path / "out"
    settings = DetectionSettings(model=str(tiny_bundles["autoencoder"].path), device="cpu")
    killed: list[int] = []
    killer = threading.Thread(target=kill_the_first_worker_in_mid_study, args=(out, killed))
    killer.start()
    with open_cluster(scheduler) as cluster:
        rows = detect_cohort(tmp_path / "cohort", out, settings, SilentReporter(), cluster)
    killer.join()
    assert killed
    assert [row.state for row in rows] == ["done"] * STUDIES
    assert not list(out.glob(".*partial*"))
    assert len(list((out / ".studies").iterdir())) == STUDIES
    detect(tiny_study / "SUV.nii.gz", None, tmp_path / "one", settings, SilentReporter())
    for row in rows:
        for name in ("residual.nii.gz", "findings.csv", "segmentation.seg.nrrd"):
            ours = (out / row.study / name).read_bytes()
            assert ours == (tmp_path / "one" / name).read_bytes(), (row.study, name)
