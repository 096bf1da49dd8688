"""Runs of engines that are a few lines long: what they tell is noted in its order."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.jobs.run import EngineRun
from PETAnomalyLib.panel.jobs.run_outcome import RunOutcome
from waiting import waitFor

posixOnly = pytest.mark.skipif(os.name != "posix", reason="looks into /proc")


class Heard:
    """What a run told, in its order."""

    def __init__(self, run: EngineRun) -> None:
        self.stages: list[tuple[str, str]] = []
        self.progress: list[tuple[float, float | None]] = []
        self.log: list[str] = []
        self.outcomes: list[RunOutcome] = []
        run.onStage = lambda name, label: self.stages.append((name, label))
        run.onProgress = lambda fraction, rest: self.progress.append((fraction, rest))
        run.onLog = lambda _level, message: self.log.append(message)
        run.onFinished = self.outcomes.append

    @property
    def outcome(self) -> RunOutcome:
        assert len(self.outcomes) == 1
        return self.outcomes[0]


def engine(folder: Path, *sources: str) -> Interpreter:
    """An interpreter for which `-m PETAnomalyLib.engine` is these sources, one after the other."""
    package = folder / "PETAnomalyLib" / "engine"
    package.mkdir(parents=True)
    (folder / "PETAnomalyLib" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    text = "\n".join(textwrap.dedent(source) for source in sources)
    (package / "__main__.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return Interpreter(sys.executable, environment, foreign=False)


def runToEnd(interpreter: Interpreter, arguments: list[str]) -> Heard:
    run = EngineRun(interpreter)
    heard = Heard(run)
    run.start(arguments)
    assert run.isRunning
    waitFor(lambda: heard.outcomes)
    assert not run.isRunning
    return heard


SAYS = """
    import json, sys
    from pathlib import Path
    def say(**event): print(json.dumps(event), flush=True)
"""
