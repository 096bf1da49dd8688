"""Pictures of a run: what the log says is what they show."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from absent_package import make_absent
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.training.curves import draw_curves, read_curves
from PETAnomalyLib.engine.training.validation_pictures import (
    draw_likelihoods,
    draw_reconstructions,
)
from PIL import Image


def write_log(path: Path) -> Path:
    """An error that falls from 1 to 0.5 in a hundred steps; the validation's lies 0.2 above."""
    entries = []
    for step in range(1, 101):
        error = 1.0 - step / 200
        entries.append({"step": step, "seconds": 0.1 * step, "error": error})
        if step % 20 == 0:
            entries.append(
                {"step": step, "seconds": 0.1 * step, "validation_error": error + 0.2, "codes": 7}
            )
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_training_and_validation_are_the_two_sides_of_one_curve(tmp_path: Path) -> None:
    curves = read_curves(write_log(tmp_path / "log.jsonl"))
    assert set(curves) == {"error", "codes"}
    assert curves["error"].training[0] == (1, 0.995)
    assert [step for step, _ in curves["error"].validation] == [20, 40, 60, 80, 100]
    assert curves["codes"].training == []


def test_a_falling_curve_falls_and_a_higher_one_lies_above(tmp_path: Path) -> None:
    draw_curves(write_log(tmp_path / "log.jsonl"), tmp_path / "curves.png")
    panel = pixels(tmp_path / "curves.png")[50:260, 60:600]  # inside the first one's frame
    blue = (abs(panel - np.array([0, 130, 255])) < 12).all(-1)
    ink = panel.sum(-1) < 130
    columns = [c for c in range(panel.shape[1]) if blue[:, c].any() and ink[:, c].any()]
    heights = [(blue[:, c].nonzero()[0].mean(), ink[:, c].nonzero()[0].mean()) for c in columns]
    assert len(columns) > 200
    assert all(above < below for above, below in heights)
    assert heights[-1][1] > heights[0][1] + 40  # rows count downwards


@pytest.mark.parametrize(
    "values",
    [
        [],
        [math.nan, math.inf],
        [7.0],
        [0.0, 0.0],
        [-3.0, 5.0, math.nan],
        [1e-30, 1e30],
        [1e300, -1e300],
        [2.0, 3.0] * 20_000,
    ],
)
def test_any_figures_are_drawn_and_the_same_ones_have_the_same_bytes(
    values: list[float], tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    lines = [{"step": n, "seconds": 0.1, "loss": value} for n, value in enumerate(values, 1)]
    lines.append({"step": 1, "seconds": 0.1, "validation_loss": 1.0, "validation_other": math.nan})
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("one.png", "two.png"):
        draw_curves(log, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_that_matplotlib_is_missing_is_said_before_a_training_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    users = ("figures.chart", "training.curves", "training.progress",
             "families.dense_autoencoder.train")  # fmt: skip
    make_absent("matplotlib", [f"PETAnomalyLib.engine.{user}" for user in users], monkeypatch)
    none = str(tmp_path / "none")
    assert main(["train", "autoencoder", "--cohort", none, "--config", none, "--out", none]) == 2
    said = capfd.readouterr().err
    assert "The Python package matplotlib is not installed in" in said
    assert "pip install matplotlib" in said


def test_heads_are_up_and_uptake_is_dark(tmp_path: Path) -> None:
    body = np.zeros((1, 30, 20))
    body[0, 25:] = 1.0  # towards the head: the last slices
    draw_reconstructions(tmp_path / "r.png", body, np.zeros_like(body), "title")
    picture = pixels(tmp_path / "r.png")[:, 10:200].mean((1, 2))
    first_row = picture[64 : 64 + 300]  # under the title and the row's name
    assert first_row[:45].max() < 30
    assert first_row[60:].min() > 225


def test_what_is_unlikely_is_bright(tmp_path: Path) -> None:
    surprise = np.zeros((6, 4))
    surprise[5, 0] = 8.0
    draw_likelihoods(tmp_path / "l.png", np.zeros((30, 20)), surprise, "title")
    right = pixels(tmp_path / "l.png")[64 : 64 + 300, 8 + 200 + 8 : 8 + 200 + 8 + 200].sum(-1)
    assert right[:50, :50].min() > 600  # head up, first column
    assert right[60:].max() < 60
