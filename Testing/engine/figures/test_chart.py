"""A chart's points lie where its axes say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.figures.chart import ABOVE, COLOURS, HEIGHT, LEFT, WIDTH, draw_chart
from PIL import Image


@pytest.mark.parametrize(("right", "top"), [(1.0, 1.0), (100.0, 0.5), (10.0, 1.0)])
def test_a_point_lies_at_its_share_of_both_axes(tmp_path: Path, right: float, top: float) -> None:
    point = (0.25 * right, 0.6 * top)
    draw_chart(tmp_path / "chart.png", {"one point": [point]}, ("x", "y"), right, top)
    picture = np.asarray(Image.open(tmp_path / "chart.png")).astype(int)
    inside = picture[: ABOVE + HEIGHT, : LEFT + WIDTH]  # the legend stands to the right
    y, x = np.nonzero((abs(inside - COLOURS[0]) < 40).all(-1))
    assert abs(x.mean() - (LEFT + 0.25 * WIDTH)) < 1
    assert abs(y.mean() - (ABOVE + 0.4 * HEIGHT)) < 1


def test_what_lies_beyond_the_right_end_is_left_out(tmp_path: Path) -> None:
    draw_chart(tmp_path / "all.png", {"line": [(0.2, 0.2), (0.8, 0.7)]}, ("x", "y"), 1.0)
    more = [(0.2, 0.2), (0.8, 0.7), (1.5, 0.1)]
    draw_chart(tmp_path / "more.png", {"line": more}, ("x", "y"), 1.0)
    assert (tmp_path / "all.png").read_bytes() == (tmp_path / "more.png").read_bytes()
