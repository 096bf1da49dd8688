"""A detection on another computer, as seen from this one: its events, and in the end its result.

    detect_there(OtherComputer("gpu"), {"pet": pet, "ct": ct}, out, {"seed": 1}, reporter)

The result is that of a local run: whole or absent, the study named as it is here.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from io import RawIOBase
from pathlib import Path
from typing import Any, cast

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.remote.frames import Frames, RemoteError
from PETAnomalyLib.engine.remote.names_here import NamesHere
from PETAnomalyLib.engine.remote.settings import to_send
from PETAnomalyLib.engine.remote.ssh import OtherComputer, environment, explain
from PETAnomalyLib.engine.remote.study_files import study_files
from PETAnomalyLib.engine.remote.transfer import (
    checked_index,
    index_of,
    receive_files,
    send_files,
)
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.output import RESULT_FILES, output_folder
from PETAnomalyLib.engine.runtime.reporter import Reporter

SILENCE_SECONDS = 10.0
ANSWER_SECONDS = 120.0
"""For the first word: Python from a cold network disk. A queue (`before`) may take any time."""

_POLL_SECONDS = 0.2
_END_SECONDS = 5.0
_KEPT_LINES = 50


def detect_there(
    computer: OtherComputer,
    inputs: Mapping[str, Path],
    out: Path,
    given: Mapping[str, Any],
    reporter: Reporter,
) -> Path:
    """`detection.detect`, on another computer.

    Args:
        computer: which.
        inputs: `pet`, and where they were given `ct` and `organs`: files or folders, here.
        out: the folder to fill, here.
        given: the options of `detect` that were given.
        reporter: told of stages and progress; asked whether to stop.

    Returns:
        `out`.

    Raises:
        InputError: a study that cannot be sent, or an output folder that cannot be written.
        RemoteError: the computer cannot be used, or is no longer heard.
        PETAnomalyError: what ended the detection there.
        Cancelled: asked to stop; the run there ends too.
    """
    study = study_files(inputs)
    index = index_of(study.files)
    request = {"is": "detect", "inputs": study.inputs, "files": list(index)}
    with output_folder(out) as partial:
        with _connection(computer, reporter) as connection:
            frames = connection.frames
            reporter.stage("send", f"Sending the study to {computer.host}")
            # Where it has ended already, it has said why.
            with contextlib.suppress(BrokenPipeError):
                frames.send_json({**request, "options": to_send(given)})
                send_files(frames, study.files, index, lambda _sent: reporter.check_cancelled())
            names = NamesHere(inputs, study.inputs)
            connection.follow(partial, names)
        _name_as_here(partial / "report.json", names)
    reporter.progress(1.0)
    reporter.result(out)
    return out


def check_there(computer: OtherComputer, reporter: Reporter) -> dict[str, Any]:
    """What is there: see `machine.describe_machine`.

    Raises:
        RemoteError: the computer cannot be used.
        PETAnomalyError: what is wrong there.
    """
    with _connection(computer, reporter) as connection:
        with contextlib.suppress(BrokenPipeError):
            connection.frames.send_json({"is": "check"})
        return connection.answer()


class _Connection:
    """ssh, with the program at its other end.

    One thread watches the time; it ends ssh, which ends every wait.
    """

    def __init__(
        self, computer: OtherComputer, process: subprocess.Popen[bytes], reporter: Reporter
    ) -> None:
        self.frames = Frames(cast("RawIOBase", process.stdout), cast("RawIOBase", process.stdin))
        self._computer = computer
        self._process = process
        self._reporter = reporter
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._stopped: PETAnomalyError | None = None
        self._limit = float("inf") if computer.before else ANSWER_SECONDS
        self._over = threading.Event()
        self._errors = threading.Thread(target=self._read_errors, name="stderr", daemon=True)
        self._errors.start()
        threading.Thread(target=self._watch, name="connection", daemon=True).start()

    def greet(self) -> None:
        """Wait for the program there.

        Raises:
            RemoteError: it does not come, or is another version.
        """
        hello = self.frames.receive_json() if self.frames.wait_for_mark() else None
        if hello is None:
            raise self._ended(explain(self._computer, self._exit_code(), self._words()))
        if hello.get("version") != __version__:
            raise RemoteError(
                f"petanomaly {str(hello.get('version'))!a:.40} is installed on "
                f"{self._computer.host}, and {__version__} here.",
                "Install the same version on both.",
            )
        self._limit = SILENCE_SECONDS

    def follow(self, folder: Path, names: NamesHere) -> None:
        """Tell what happens there, until the result lies in `folder`.

        Args:
            folder: that is filled.
            names: told where the study lies there; what is said names it as here.

        Raises:
            PETAnomalyError: what ended it.
        """
        error: PETAnomalyError | None = None
        has_result = False
        while True:
            message = self._next()
            kind = message.get("is")
            if kind == "event" and isinstance(message.get("event"), dict):
                error = self._tell(message["event"], names.said) or error
            elif kind == "inputs":
                names.lie_in(message.get("folder"))
            elif kind == "result":
                index = checked_index(message.get("files"), RESULT_FILES.__contains__)
                self._reporter.stage("fetch", f"Fetching the result from {self._computer.host}")
                receive_files(self.frames, index, folder)
                has_result = (folder / "report.json").is_file()
            elif kind == "end":
                if error is not None:
                    code = message.get("code")
                    error.exit_code = code if type(code) is int and 1 <= code <= 5 else 1
                    raise error
                if not has_result:
                    raise self._lost()
                return

    def answer(self) -> dict[str, Any]:
        """What was asked for.

        Raises:
            PETAnomalyError: it cannot be given.
        """
        while True:
            message = self._next()
            if message.get("is") == "machine" and isinstance(message.get("machine"), dict):
                return cast("dict[str, Any]", message["machine"])
            if message.get("is") == "event" and isinstance(message.get("event"), dict):
                error = self._tell(message["event"])
                if error is not None:
                    raise error
            elif message.get("is") == "end":
                raise self._lost()

    def close(self) -> None:
        """End ssh, whose end ends the program there."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._errors.join(_END_SECONDS)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def why(self, error: PETAnomalyError) -> PETAnomalyError:
        """The cause where this side ended the connection itself, else the error."""
        return self._stopped or error

    def _next(self) -> dict[str, Any]:
        message = self.frames.receive_json()
        if message is None:
            raise self._lost()
        return message

    def _lost(self) -> PETAnomalyError:
        return self._ended(
            RemoteError(
                f"The connection to {self._computer.host} ended in the midst of the run.",
                "Check the network, and try again.",
            )
        )

    def _ended(self, error: PETAnomalyError) -> PETAnomalyError:
        return self._stopped or error

    def _tell(
        self, event: dict[str, Any], said: Callable[[str], str] = str
    ) -> PETAnomalyError | None:
        """Pass on an event, its words changed by `said`; an error is returned."""
        kind = event.get("event")
        if kind == "stage":
            self._reporter.stage(str(event.get("name")), str(event.get("label")))
        elif kind == "progress":
            fraction, rest = event.get("fraction"), event.get("eta_s")
            if isinstance(fraction, (int, float)):
                self._reporter.progress(float(fraction))
            if isinstance(rest, (int, float)):
                self._reporter.expect(float(rest))
        elif kind == "log":
            self._reporter.log(str(event.get("level")), said(str(event.get("message"))))
        elif kind == "error":
            message = f"On {self._computer.host}: {said(str(event.get('message')))}"
            error = PETAnomalyError(message, said(str(event.get("hint") or "")))
            error.kind = str(event.get("kind"))
            return error
        return None

    def _watch(self) -> None:
        while not self._over.wait(_POLL_SECONDS):
            try:
                self._reporter.check_cancelled()
            except PETAnomalyError as error:
                self._stop(error)
                return
            if self.frames.silent_seconds > self._limit:
                self._stop(
                    RemoteError(
                        f"{self._computer.host} has not been heard of for {self._limit:.0f} "
                        "seconds.",
                        "Check the network, and try again.",
                    )
                )
                return

    def _stop(self, error: PETAnomalyError) -> None:
        self._stopped = error
        self._process.kill()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._said.append(text)
            with contextlib.suppress(OSError, ValueError):
                print(text, file=sys.stderr, flush=True)

    def _exit_code(self) -> int | None:
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def _words(self) -> str:
        self._errors.join(_END_SECONDS)
        return "\n".join(self._said)


@contextlib.contextmanager
def _connection(computer: OtherComputer, reporter: Reporter) -> Iterator[_Connection]:
    """A connection whose other side has said that it is there; ended with the block."""
    reporter.stage("connect", f"Connecting to {computer.host}")
    process = subprocess.Popen(
        computer.command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=environment(os.environ),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    connection = _Connection(computer, process, reporter)
    try:
        with connection.frames.heartbeat():
            connection.greet()
            yield connection
    except PETAnomalyError as error:
        raise connection.why(error) from error
    finally:
        connection.close()


def _name_as_here(report: Path, names: NamesHere) -> None:
    """No folder of the other computer in the report: the model goes by its name, and its hash."""
    whole = read_json(report)
    model = whole.get("model") if isinstance(whole, dict) else None
    if isinstance(model, dict):
        model["path"] = model.get("name")
        if isinstance(whole.get("warnings"), list):
            whole["warnings"] = [names.said(str(warning)) for warning in whole["warnings"]]
        report.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
