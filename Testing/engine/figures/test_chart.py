"""A chart's points lie where its axes say, in colours that its legend gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine_process import start_python
from PETAnomalyLib.engine.figures.chart import COLOURS, draw_chart
from PETAnomalyLib.engine.figures.drawing import FAINT, Colour
from PIL import Image


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def where(picture: np.ndarray, colour: Colour) -> np.ndarray:
    return np.all(abs(picture - colour) < 12, axis=-1)


def axes_of(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the frame, whose lines are longer than half its picture."""
    frame = where(picture, FAINT)
    rows = np.flatnonzero(frame.sum(axis=1) > picture.shape[1] / 2)
    columns = np.flatnonzero(frame.sum(axis=0) > picture.shape[0] / 2)
    return columns[0], rows[0], columns[-1], rows[-1]


@pytest.mark.parametrize(("right", "top"), [(1.0, 1.0), (100.0, 0.5), (10.0, 1.0)])
def test_a_point_lies_at_its_share_of_both_axes(tmp_path: Path, right: float, top: float) -> None:
    point = (0.25 * right, 0.6 * top)
    draw_chart(tmp_path / "chart.png", {"one point": [point]}, ("x", "y"), right, top)
    picture = pixels(tmp_path / "chart.png")
    left, above, end, below = axes_of(picture)
    y, x = np.nonzero(where(picture, COLOURS[0])[:, :end])  # the legend stands to the right
    assert abs(x.mean() - (left + 0.25 * (end - left))) < 1
    assert abs(y.mean() - (below + 0.6 * (above - below))) < 1


def test_a_point_on_the_border_is_seen_whole(tmp_path: Path) -> None:
    sizes = []
    for point in ((0.5, 0.5), (1.0, 1.0)):
        draw_chart(tmp_path / "chart.png", {"point": [point]}, ("x", "y"), 1.0)
        sizes.append(where(pixels(tmp_path / "chart.png"), COLOURS[0]).sum())
    assert sizes[0] > 0
    assert abs(sizes[1] - sizes[0]) < 0.1 * sizes[0]


def test_what_lies_beyond_the_right_end_is_left_out(tmp_path: Path) -> None:
    draw_chart(tmp_path / "all.png", {"line": [(0.2, 0.2), (0.8, 0.7)]}, ("x", "y"), 1.0)
    more = [(0.2, 0.2), (0.8, 0.7), (1.5, 0.1)]
    draw_chart(tmp_path / "more.png", {"line": more}, ("x", "y"), 1.0)
    assert (tmp_path / "all.png").read_bytes() == (tmp_path / "more.png").read_bytes()


def test_the_legend_covers_no_part_of_the_axes(tmp_path: Path) -> None:
    curves = {f"a model with a long name, map {n}": [(0.0, 0.0)] for n in range(20)}
    draw_chart(tmp_path / "chart.png", curves, ("x", "y"), 1.0)
    picture = pixels(tmp_path / "chart.png")
    left, above, right, below = axes_of(picture)
    inside = picture[above + 10 : below - 10, left + 10 : right - 10]
    assert inside.min() > 200  # paper and grid alone: every curve is one point in the corner
    assert right - left > 0.4 * picture.shape[1]


def test_the_same_chart_has_the_same_bytes_whatever_the_users_settings(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "out, os.environ['MATPLOTLIBRC'] = Path(sys.argv[1]), sys.argv[2]\n"
        "from PETAnomalyLib.engine.figures.chart import draw_chart\n"
        "curves = {'one': [(0.1, 0.2), (0.3, 0.4)], 'other': [(0.5, 0.5)]}\n"
        "draw_chart(out, curves, ('recall', 'precision'), 1.0)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    for name in ("plain", "dark"):
        (tmp_path / name).mkdir()
    (tmp_path / "plain" / "matplotlibrc").write_text("")
    (tmp_path / "dark" / "matplotlibrc").write_text("font.size: 30\naxes.facecolor: black\n")
    drawn = []
    for name in ("plain", "dark"):
        picture = tmp_path / name / "chart.png"
        process = start_python(["-c", script, str(picture), str(tmp_path / name)])
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        drawn.append(picture.read_bytes())
        assert set(Image.open(picture).info) <= {"Software", "dpi"}  # no date, no version
    assert drawn[0] == drawn[1]
