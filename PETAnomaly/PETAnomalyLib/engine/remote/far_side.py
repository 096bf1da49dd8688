"""What ssh starts on the other computer: takes a study, runs `detect` on it, gives the result back.

One errand, on stdin and stdout; nothing listens. It ends with the connection: when stdin ends, when
nothing has come for eight seconds, when it is told by a signal. The detection is a process of its
own, killed then with all that it has started, and the run's folder is removed first of all else.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any, cast

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.remote import settings
from PETAnomalyLib.engine.remote.frames import Frames, RemoteError
from PETAnomalyLib.engine.remote.machine import describe_machine
from PETAnomalyLib.engine.remote.run_folder import RunFolder, place, remove, run_folder
from PETAnomalyLib.engine.remote.transfer import (
    checked_index,
    index_of,
    receive_files,
    send_files,
)
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.known_error import as_known
from PETAnomalyLib.engine.runtime.output import RESULT_FILES

SILENCE_SECONDS = 8.0
_POLL_SECONDS = 0.2
_INPUTS = {"pet", "ct", "organs", "mr", "mask"}
_LONGEST_LINE = 1 << 20


def serve() -> int:
    """Do the one errand that comes through stdin; returns the exit code.

    Raises:
        InputError: this system cannot be the other computer.
    """
    if sys.platform == "win32":
        raise InputError(
            "Windows cannot be the other computer of a detection.", "Use Linux or macOS there."
        )
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    with _streams() as (source, target):
        frames = Frames(source, target)
        errand = _Errand(frames)
        threading.Thread(target=errand.watch_silence, name="silence", daemon=True).start()
        try:
            frames.send_mark()
            frames.send_json({"is": "hello", "version": __version__})
            with frames.heartbeat():
                return errand.do()
        except BrokenPipeError:
            return Cancelled.exit_code


class _Errand:
    """From the request to the result.

    Whichever thread notices that nobody is there any more ends all of it (`give_up`).
    """

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._folder: RunFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Lock()
        self._is_over = False

    def do(self) -> int:
        request = self._frames.receive_json()
        if request is None:
            return Cancelled.exit_code
        try:
            if request.get("is") == "check":
                self._frames.send_json({"is": "machine", "machine": describe_machine(place())})
                return 0
            with run_folder() as folder:
                self._folder = folder
                try:
                    code, index = self._detect(folder, request)
                    if code == 0:
                        result = folder.path / "result"
                        self._frames.send_json({"is": "result", "files": index})
                        files = {name: result / name for name, _size in index}
                        send_files(self._frames, files, index, lambda _sent: None)
                finally:
                    self._is_over = True
                    self._end_process()
        except (PETAnomalyError, OSError, ValueError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            known = as_known(error)
            self._tell_error(known)
            code = known.exit_code
        self._frames.send_json({"is": "end", "code": code})
        return code

    def watch_silence(self) -> None:
        while self._frames.silent_seconds < SILENCE_SECONDS:
            time.sleep(_POLL_SECONDS)
        self.give_up()

    def give_up(self) -> None:
        """End everything, from whichever thread; this process too."""
        with self._ending:
            self._end_process()
            if self._folder is not None:
                remove(self._folder.path)
            os._exit(Cancelled.exit_code)

    def _detect(self, folder: RunFolder, request: dict[str, Any]) -> tuple[int, Any]:
        """Run it; returns its exit code and the index of its result."""
        inputs = folder.path / "in"
        index = checked_index(request.get("files"))
        words = _words(request, index, inputs)
        self._frames.send_json({"is": "inputs", "folder": str(inputs)})
        receive_files(self._frames, index, inputs)
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        result = folder.path / "result"
        code = self._run(folder, [*words, "--out", str(result), "--events"])
        if code:
            return code, []
        return 0, index_of({name: result / name for name in sorted(RESULT_FILES)
                            if (result / name).is_file()})  # fmt: skip

    def _listen(self) -> None:
        """Nothing more is expected but heartbeats, and the end."""
        with contextlib.suppress(RemoteError):
            while self._frames.receive() is not None:
                pass
        self.give_up()

    def _run(self, folder: RunFolder, words: list[str]) -> int:
        with self._ending:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "PETAnomalyLib.engine", *words],
                stdin=subprocess.PIPE,  # it ends when this process does
                stdout=subprocess.PIPE,
                cwd="/",
                env={**os.environ, "TMPDIR": str(folder.path / "tmp"), "PYTHONSAFEPATH": "1"},
                pass_fds=(folder.lock,),  # the folder is taken as long as it is written to
                start_new_session=True,  # killed with all that it starts
            )
        assert process.stdout is not None
        told = False
        for line in iter(lambda: process.stdout.readline(_LONGEST_LINE), b""):  # type: ignore[union-attr]
            event = _event(line)
            told = told or event.get("event") == "error"
            if event and event.get("event") != "result":
                self._frames.send_json({"is": "event", "event": event})
        code = process.wait()
        if code and not told:
            self._tell_error(_unsaid(code))
        return code if code >= 0 else 1

    def _tell_error(self, error: PETAnomalyError) -> None:
        event = {"event": "error", "kind": error.kind}
        said = {"message": error.message, "hint": error.hint}
        self._frames.send_json({"is": "event", "event": {**event, **said}})

    def _end_process(self) -> None:
        process = self._process
        if process is None or sys.platform == "win32":
            return
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _words(request: dict[str, Any], index: Any, folder: Path) -> list[str]:
    """The command line of the detection, without what is the same for all.

    Raises:
        RemoteError: what is asked for is no detection.
    """
    names = {name for name, _size in index}
    words = ["detect"]
    try:
        inputs = request.get("inputs")
        if not isinstance(inputs, dict) or not inputs.keys() <= _INPUTS:
            raise ValueError("there is no study")  # noqa: TRY301
        if ("pet" in inputs) == ("mr" in inputs):
            raise ValueError("there is no study")  # noqa: TRY301
        for option, path in inputs.items():
            is_there = path in names or any(name.startswith(f"{path}/") for name in names)
            if not isinstance(path, str) or not is_there:
                raise ValueError(f"the {option} is not among the files")  # noqa: TRY301
            words += [f"--{option}", str(folder / path)]
        return [*words, *settings.command_line(request.get("options"))]
    except ValueError as error:
        raise RemoteError(
            f"What was asked for cannot be understood: {error}.",
            "Install the same version of petanomaly on both computers.",
        ) from error


def _event(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _unsaid(code: int) -> PETAnomalyError:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return RemoteError(
        f"The detection ended without a word ({how}), perhaps for want of memory.",
        "Choose fewer samples and decodes, or look at the other computer's log.",
    )


@contextlib.contextmanager
def _streams() -> Iterator[tuple[RawIOBase, RawIOBase]]:
    """The real stdin and stdout, which libraries then cannot print into."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with (
        open(0, "rb", buffering=0, closefd=False) as source,
        open(kept, "wb", buffering=0) as target,  # noqa: PTH123
    ):
        yield cast("RawIOBase", source), cast("RawIOBase", target)
