"""`petanomaly models`: what a model's author wrote is shown as text, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dotted_keys import changed
from engine_process import run_petanomaly
from PETAnomalyLib.engine import cli
from tiny_models import manifest, write_model

ESCAPES = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202egnp.exe\u202c \u2066x\u2069 \r \u2028 \x7f"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of models beside the shipped ones."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def card(**values: Any) -> dict[str, Any]:
    """A manifest with what is not checked otherwise, since only people read it."""
    return {**manifest(), **values}


@pytest.mark.parametrize(
    ("command", "may_break"),
    [(["show", "tiny"], "\n"), (["show", "tiny", "--json"], "\n"), (["list", "--json"], "\n")],
)
def test_no_control_character_of_a_card_is_printed(
    models: Path, capfd: pytest.CaptureFixture[str], command: list[str], may_break: str
) -> None:
    whole = card(
        references=[ESCAPES], eval_metrics={ESCAPES: {"dice" + ESCAPES: ESCAPES}}, changelog=ESCAPES
    )
    write_model(models / "a", whole)
    assert cli.main(["models", *command]) == 0
    shown = capfd.readouterr().out
    assert {c for c in shown if not c.isprintable()} <= set(may_break)
    if command[0] == "show" and "--json" in command:
        assert json.loads(shown)["metadata"] == whole


def test_a_card_cannot_write_lines_of_its_own(
    models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    forged = f"good\nsha256: {'0' * 64}\npath: /elsewhere"
    write_model(models / "a", changed(card(description=forged), "petanomaly.title", "A\n* forged"))
    assert cli.main(["models", "show", "tiny"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert sum(line.startswith("sha256:") for line in lines) == 1
    assert not any(line.startswith("path: /elsewhere") for line in lines)
    assert cli.main(["models", "list"]) == 0
    assert not any(line.startswith("* forged") for line in capfd.readouterr().out.splitlines())


def test_names_of_folders_reach_the_terminal_as_text(
    models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = write_model(models / "a\x1b[2J\u202e", manifest())
    (bad / "configs" / "metadata.json").write_text("{")
    assert cli.main(["models", "list"]) == 0
    written = capfd.readouterr()
    assert "left out" in written.err
    assert {c for c in written.out + written.err if not c.isprintable()} <= set("\n\r")


@pytest.mark.parametrize("depth", [100, 900, 20_000])
def test_a_deeply_nested_card_is_refused_and_hides_no_other(models: Path, depth: int) -> None:
    bad = write_model(models / "deep", manifest())
    text = json.dumps(card(references="?"))
    (bad / "configs" / "metadata.json").write_text(text.replace('"?"', "[" * depth + "]" * depth))
    listed = run_petanomaly("models", "list", "--json")
    assert listed.returncode == 0
    assert "deep" in listed.stderr
    assert "petct-phantom" in [model["name"] for model in json.loads(listed.stdout)]
    for command in (["show", "deep"], ["verify", bad], ["add", bad]):
        run = run_petanomaly("models", *command)
        assert run.returncode == 2, run.stderr
        assert "Traceback" not in run.stderr
        assert "configs/metadata.json" in run.stderr


def test_a_number_that_json_cannot_hold_is_refused(models: Path) -> None:
    bad = write_model(models / "huge", manifest())
    text = json.dumps(card(eval_metrics={"dice": "?"}))
    (bad / "configs" / "metadata.json").write_text(text.replace('"?"', "1e999"))
    run = run_petanomaly("models", "show", "huge", "--json")
    assert run.returncode == 2
    assert "1e999" in run.stderr


@pytest.mark.parametrize("action", ["show", "verify", "add"])
@pytest.mark.parametrize("name", ["m" * 300, "/" + "m" * 300 + ".zip", "m/" * 3000])
def test_a_name_over_255_characters_is_refused_in_words(action: str, name: str) -> None:
    run = run_petanomaly("models", action, name)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert "bug" not in run.stderr
