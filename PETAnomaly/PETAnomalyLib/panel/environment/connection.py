"""Test connection: what another computer has, asked by `petanomaly remote check`.

Asked in a child process, without blocking the window; the system's ssh is below it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.question import Question

TEST_SECONDS = 180  # ssh, Python and torch from a cold network disk


class ConnectionTest:
    """One question at a time; `onDone(text)` follows on the GUI thread, whatever happens.

    A second `start`, or `cancel`, drops the first question and its answer.
    """

    def __init__(self) -> None:
        self._onDone: Callable[[str], None] = lambda _text: None
        self._question = Question(TEST_SECONDS)
        self._question.onAnswer = lambda output, errors: self._onDone(
            describe(output) or complaint(errors)
        )
        self._question.onNotStarted = lambda _reason: self._onDone(
            _("The engine's Python could not be started.")
        )
        self._question.onSilence = lambda: self._onDone(
            _("No answer for {seconds} seconds.").format(seconds=TEST_SECONDS)
        )

    @property
    def isRunning(self) -> bool:
        return self._question.isUnderWay

    def start(
        self, interpreter: Interpreter, words: Sequence[str], onDone: Callable[[str], None]
    ) -> None:
        """Ask.

        Args:
            interpreter: runs the question here; needs no torch.
            words: `--host` and its options, as for `detect`.
            onDone: gets the answer in words.
        """
        self._onDone = onDone
        words = ["remote", "check", words[1], *words[2:], "--json"]
        self._question.ask(interpreter, ["PETAnomalyLib.engine", *words])

    def cancel(self) -> None:
        """Drop the question; `onDone` is not called."""
        self._question.cancel()


def describe(output: str) -> str:
    """What is there, in lines; empty where `remote check --json` has not said it."""
    try:
        found = json.loads(output)
        cards = [
            card["name"]
            if card["free_bytes"] is None
            else _("{name} ({free:.0f} GB free)").format(
                name=card["name"], free=card["free_bytes"] / 1e9
            )
            for card in found["cards"]
        ]
        models = [model["name"] for model in found["models"]]
        memory = (found["free_memory_bytes"] or 0) / 1e9
        return "\n".join(
            (
                _("petanomaly {version}, PyTorch {torch}").format(
                    version=found["version"], torch=found["packages"].get("torch", _("missing"))
                ),
                _("Models: {names}").format(names=", ".join(models) or _("none")),
                _("Graphics cards: {names}").format(
                    names=", ".join(cards) or found["problem"] or _("none")
                ),
                _("Free: {memory:.0f} GB of memory, {disk:.0f} GB of disk").format(
                    memory=memory, disk=found["free_disk_bytes"] / 1e9
                ),
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def complaint(errors: str) -> str:
    """The engine's last sentence and its hint, without what ssh said before."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    starts = [n for n, line in enumerate(lines) if line.startswith("petanomaly: ")]
    if not starts:
        return lines[-1] if lines else _("No answer.")
    return "\n".join(lines[starts[-1] :]).removeprefix("petanomaly: ")
