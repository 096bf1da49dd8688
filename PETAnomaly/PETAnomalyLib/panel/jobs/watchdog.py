"""A process that outlives Slicer by seconds: it ends the engine and removes what a run leaves.

Run by path, standard library only, in whichever Python runs the engine:

    watchdog.py guard SLICER_PID ARGUMENT...   runs `this Python ARGUMENT...`; when Slicer is gone,
                                               ends it with all that it started
    watchdog.py keep  SLICER_PID FOLDER        removes FOLDER when Slicer is gone

"Gone" is the end of stdin, a pipe that Slicer holds open for as long as it wants the run (so
closing it is also how Slicer cancels), or the end of Slicer's process. Why not the engine itself:
it does watch its stdin, but a numerical library that keeps Python's lock for seconds makes it deaf;
a folder has to go even when no engine was started; and a killed Slicer can do neither.

`guard` writes one event first, `{"event": "process", "group": PID}`: the process group (POSIX) or
process (Windows) to kill when all else fails. It exits with the engine's exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

POLITE_SECONDS = 3.0  # the engine ends by itself within 2
POLL_SECONDS = 0.5
QUIET_SECONDS = 1.0  # a folder that stays away for so long is not being written any more
REMOVAL_SECONDS = 4.0
NOT_STARTED = 127  # as a shell says it
CLOSING_SUFFIX = ".closing"  # what a folder is renamed to when its owner is done with it


class Gone:
    """Whether Slicer is gone: `wait` returns then, or when `tell` was called."""

    def __init__(self, slicerPid: int) -> None:
        self._slicerPid = slicerPid
        self._event = threading.Event()

    def watch(self) -> None:
        threading.Thread(target=self._watchStdin, daemon=True).start()

    def tell(self) -> None:
        self._event.set()

    def wait(self) -> None:
        while not self._event.wait(POLL_SECONDS):
            if not isAlive(self._slicerPid):
                return

    def _watchStdin(self) -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        self.tell()


def isAlive(pid: int) -> bool:
    """Whether there is a process of this id."""
    if sys.platform == "win32":
        import ctypes

        synchronize, waitTimeout = 0x00100000, 0x102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return False
        alive = kernel.WaitForSingleObject(handle, 0) == waitTimeout
        kernel.CloseHandle(handle)
        return bool(alive)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def guard(slicerPid: int, arguments: list[str]) -> int:
    """Run the engine until it ends or Slicer is gone.

    Returns its exit code, 128 + n when signal n ended it.
    """
    leadOwnGroup()
    # Before the engine can say anything: only the first line is believed to say this.
    print(json.dumps({"event": "process", "group": os.getpid()}), flush=True)
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        engine = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, creationflags=hidden
        )
    except OSError as error:
        print(f"{sys.executable} could not be started: {error}", file=sys.stderr, flush=True)
        return NOT_STARTED
    gone = Gone(slicerPid)
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: gone.tell())
    gone.watch()
    ending = threading.Event()

    def endWhenGone() -> None:
        gone.wait()
        ending.set()
        endEngine(engine)

    threading.Thread(target=endWhenGone, daemon=True).start()
    code = engine.wait()
    if ending.is_set():
        killTree(engine)  # what the engine has started and left
    return code if code >= 0 else 128 - code


def leadOwnGroup() -> None:
    """Make this process the leader of a session and group of its own, so that a kill of the group
    ends all of the run and no more.
    """
    if hasattr(os, "setsid") and os.getpgrp() != os.getpid():
        os.setsid()


def endEngine(engine: subprocess.Popen[bytes]) -> None:
    """Ask the engine to end (its stdin closes, POSIX: SIGTERM), and kill it and its children when
    it does not.
    """
    if engine.stdin is not None:
        engine.stdin.close()
    if os.name == "posix":
        engine.terminate()
    try:
        engine.wait(POLITE_SECONDS)
    except subprocess.TimeoutExpired:
        killTree(engine)


def killTree(engine: subprocess.Popen[bytes]) -> None:
    """Kill the engine and all it has started. POSIX: this process too, it is of the same group."""
    if sys.platform == "win32":
        subprocess.run(
            [taskkill(), "/PID", str(engine.pid), "/T", "/F"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=subprocess.CREATE_NO_WINDOW,
            check=False,
        )
        return
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    engine.kill()


def taskkill() -> str:
    """Windows' own, by its path: by name, the current folder's would come first."""
    return str(Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe")


def keep(slicerPid: int, folder: Path) -> int:
    """Remove the folder once Slicer is gone, again and again while a dying engine still writes into
    it.
    """
    gone = Gone(slicerPid)
    gone.watch()
    gone.wait()
    condemned = (folder, folder.with_name(folder.name + CLOSING_SUFFIX))
    lastSeen = begin = time.monotonic()
    while time.monotonic() - begin < REMOVAL_SECONDS:
        for path in condemned:
            if path.exists():
                shutil.rmtree(path, ignore_errors=True)
                lastSeen = time.monotonic()
        if time.monotonic() - lastSeen > QUIET_SECONDS:
            break
        time.sleep(0.1)
    return 0


def main(arguments: list[str]) -> int:
    mode, slicerPid, rest = arguments[0], int(arguments[1]), arguments[2:]
    if mode == "guard":
        return guard(slicerPid, rest)
    return keep(slicerPid, Path(rest[0]))


if __name__ == "__main__":
    exitCode = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(exitCode)  # a thread blocked in a read of stdin would hold up a normal exit
