"""The page of a cohort in a real browser, without a display or a network."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import required_program
from PETAnomalyLib.engine.cohorts.index_page import write_index
from PETAnomalyLib.engine.cohorts.record import DONE, FAILED, WAITING, StudyRow
from PIL import Image

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
in_a_browser = pytest.mark.slow  # a browser is installed for `make test-all` alone
RED = (200, 30, 30)
HOSTILE = "<script>document.title = 'owned'</script>"
STUDIES = 200


def a_cohort() -> list[StudyRow]:
    """200 studies: every tenth failed, the last five waiting."""
    rows = []
    for n in range(STUDIES):
        patient = f"patient {n // 2 + 1}"
        study = f"{patient}__{n % 2}"
        if n >= STUDIES - 5:
            rows.append(StudyRow(patient, study, WAITING))
        elif n % 10 == 3:
            rows.append(StudyRow(patient, study, FAILED, 1.0, error=f"no image {HOSTILE}"))
        else:
            tmtv = (n * 37 % 101) / 3
            said = "The PET looks upside down." if n % 50 == 0 else ""
            rows.append(StudyRow(patient, study, DONE, 20.0 + n, tmtv, 5 * tmtv, n % 7, said))
    return rows


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results with ümläuts & blanks")
    picture = Image.new("RGB", (300, 200), RED)
    for row in a_cohort():
        if row.state == DONE:
            (out / row.study).mkdir()
            picture.save(out / row.study / "overview.png")
            for name in ("findings.csv", "report.json", "segmentation.seg.nrrd"):
                (out / row.study / name).touch()
    write_index(out, a_cohort())
    return out / "index.html"


def run_browser(page: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Chromium without a window, with a profile of its own."""
    if BROWSER is None:
        required_program.missing("there is no Chromium")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--hide-scrollbars", f"--user-data-dir={page.parent / '.browser'}", *words,
    ]  # fmt: skip
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True
    )


def in_browser(page: Path, script: str) -> str:
    """What a script makes of the page, as text: a click is a click of the browser's.

    Args:
        page: the file.
        script: JavaScript whose value is an array of strings.
    """
    tried = page.with_name("tried.html")
    text = page.read_text(encoding="utf-8")
    added = f"<pre id=told></pre><script>told.textContent = ({script}).join('\\n')</script></body>"
    tried.write_text(text.replace("</body>", added), encoding="utf-8")
    run = run_browser(page, "--dump-dom", tried.as_uri())
    found = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.S)
    assert found, run.stdout[:2000] + run.stderr[:2000]
    return html.unescape(found[1])


SHOWN = (
    "Array.from(document.querySelectorAll('tbody tr:not([hidden])'), r => r.cells[{}].innerText)"
)


def shown(column: int) -> str:
    """JavaScript: the texts of a column's rows that can be seen."""
    return SHOWN.format(column)


@in_a_browser
def test_a_click_sorts_and_a_second_one_the_other_way(page: Path) -> None:
    click = "document.querySelectorAll('th button')[4].click()"  # TMTV
    known = [row.tmtv_ml for row in a_cohort() if row.tmtv_ml is not None]
    once = in_browser(page, f"({click}, {shown(5)})").split("\n")
    assert len(once) == STUDIES
    found = [float(cell) for cell in once if cell]
    assert found == [float(f"{value:.1f}") for value in sorted(known, reverse=True)]
    assert not any(once[len(found) :]), "what is not known comes last"
    twice = in_browser(page, f"({click}, {click}, {shown(5)})").split("\n")
    assert [float(cell) for cell in twice[: len(found)]] == found[::-1]
    assert not any(twice[len(found) :])


@in_a_browser
def test_names_are_sorted_by_their_numbers(page: Path) -> None:
    click = "document.querySelectorAll('th button')[0].click()"
    names = in_browser(page, f"({click}, {shown(1)})").split("\n")
    assert names == [f"patient {n // 2 + 1}" for n in range(STUDIES)]


@in_a_browser
def test_words_and_states_filter(page: Path) -> None:
    by_words = (
        "(words.value = 'upside DOWN', words.dispatchEvent(new Event('input')), "
        f"[document.getElementById('shown').innerText, ...{shown(2)}])"
    )
    told, *names = in_browser(page, by_words).split("\n")
    expected = [row.study for row in a_cohort() if "upside" in row.warnings]
    assert names == expected
    assert told == f"{len(expected)} of {STUDIES} studies"
    by_state = "(state.value = 'failed', state.dispatchEvent(new Event('input')), " + shown(3) + ")"
    states = in_browser(page, by_state).split("\n")
    assert states == ["failed"] * sum(row.state == FAILED for row in a_cohort())


@in_a_browser
def test_what_a_study_says_is_text_and_nothing_else(page: Path) -> None:
    told = in_browser(page, f"[document.title, ...{shown(8)}]").split("\n")
    assert told[0] == "PETAnomaly: 175 done, 20 failed, 5 waiting"
    assert f"no image {HOSTILE}" in told


@in_a_browser
def test_pictures_are_seen(page: Path) -> None:
    picture = page.parent / "page.png"
    run_browser(page, f"--screenshot={picture}", "--window-size=1400,1000", page.as_uri())
    seen = np.asarray(Image.open(picture).convert("RGB")).reshape(-1, 3)
    assert (np.abs(seen.astype(int) - RED).max(1) < 12).sum() > 5 * 100 * 140  # of some rows


def test_links_lead_to_files(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    places = [html.unescape(place) for place in re.findall(r'(?:href|src)="([^"]*)"', text)]
    own = [place for place in places if "/" in place]
    assert len(own) == 6 * sum(row.state == DONE for row in a_cohort())
    assert all((page.parent / unquote(place)).exists() for place in own)


def test_it_asks_for_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"https?:|//[a-z]", text)
    assert "default-src 'none'" in text


def test_the_rows_stand_in_the_page_itself(page: Path) -> None:
    """As for whoever allows no scripts."""
    text = page.read_text(encoding="utf-8")
    assert all(html.escape(row.study) in text for row in a_cohort())
