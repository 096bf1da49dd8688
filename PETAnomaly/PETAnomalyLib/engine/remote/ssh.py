"""The system's own ssh: what it is called with, and what its complaints mean.

Keys, host checks, jumps and names are those of the user's ssh configuration. BatchMode: it asks for
nothing, so that no password passes through here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.remote.frames import RemoteError
from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError

CONNECT_SECONDS = 10
SSH_FAILED = 255
_NOT_FOUND = (126, 127)  # as shells say it


@dataclass(frozen=True)
class OtherComputer:
    """Where to detect.

    Attributes:
        host: as ssh knows it: a name of its configuration, HOST or USER@HOST.
        program: `petanomaly` there; a leading ~/ is that user's home.
        before: words in front of it, as of a shell: `srun --gres=gpu:1`.
    """

    host: str
    program: str = "petanomaly"
    before: str = ""

    def command(self) -> list[str]:
        """What is run here.

        Raises:
            InputError: a host or a command that ssh could misunderstand, or there is no ssh.
        """
        if not re.fullmatch(r"[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*", self.host):
            raise InputError(
                f"{self.host!r} is no name of a computer.", "Give HOST or USER@HOST, as to ssh."
            )
        try:
            before = shlex.split(self.before)
        except ValueError as error:
            raise InputError(
                f"The words in front of the program cannot be understood: {error}.",
                "Close the quotation marks.",
            ) from error
        if not self.program.strip() or "\n" in self.program:
            raise InputError(
                "The program on the other computer has no name.", "Leave it out for petanomaly."
            )
        words = [*map(shlex.quote, before), _quoted(self.program), "remote", "serve"]
        timeout = f"ConnectTimeout={CONNECT_SECONDS}"
        options = ["-o", "BatchMode=yes", "-o", timeout, "-T"]
        return [_ssh(), *options, "--", self.host, " ".join(words)]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Of this process, for ssh: without what Slicer's launcher has put there for Slicer.

    The launcher keeps what it found under APPLAUNCHER_0_NAME (ctkAppLauncherEnvironment.cpp). With
    Slicer's libraries, the system's ssh may not even start.
    """
    if "APPLAUNCHER_LEVEL" not in variables:
        return dict(variables)
    prefix = "APPLAUNCHER_0_"
    libraries = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH", "PYTHONHOME",
                 "PYTHONPATH", "QT_PLUGIN_PATH")  # fmt: skip
    kept = {
        name: value
        for name, value in variables.items()
        if name not in libraries and not name.startswith("APPLAUNCHER_")
    }
    earlier = {
        name.removeprefix(prefix): value
        for name, value in variables.items()
        if name.startswith(prefix)
    }
    return {**kept, **earlier}


def explain(place: OtherComputer, code: int | None, said: str) -> PETAnomalyError:
    """Why the connection never came about, in words.

    Args:
        place: the other computer.
        code: ssh's exit code; the other program's where that was started.
        said: what stands on ssh's stderr.
    """
    if code == SSH_FAILED:
        known = _not_connected(place.host, said)
    else:
        known = _not_started(place, code, said)
    if known is not None:
        return RemoteError(*known)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return RemoteError(
        f"{place.host} did not start {place.program}: {lines[-1] if lines else f'code {code}'}.",
        f"Try it in a terminal: ssh {place.host} {_quoted(place.program)} --version",
    )


def _not_connected(host: str, said: str) -> tuple[str, str] | None:
    log_in = f"Log in once in a terminal: ssh {host}"
    if "IDENTIFICATION HAS CHANGED" in said:
        return (
            f"{host} shows another host key than the one that is known.",
            "Ask who runs it whether it was installed anew, before you connect.",
        )
    if "Host key verification failed" in said:
        return (
            f"The host key of {host} is not known.",
            f"{log_in}; compare the key with the one you were given, and accept it.",
        )
    if "Permission denied" in said:
        return (
            f"{host} does not accept any of your keys.",
            f"{log_in}; it must work without a password (ssh-copy-id, ssh-add).",
        )
    reasons = [line.strip() for line in said.splitlines() if line.startswith("ssh: ")]
    if reasons:
        return (
            f"{host} cannot be reached: {reasons[-1].removeprefix('ssh: ').rstrip('.')}.",
            "Check its name, the network, and the VPN.",
        )
    return None


def _not_started(place: OtherComputer, code: int | None, said: str) -> tuple[str, str] | None:
    if "invalid choice" in said or "Invalid choice" in said:
        return (
            f"The petanomaly on {place.host} is another version, which knows no remote runs.",
            "Install the same version on both computers.",
        )
    if code in _NOT_FOUND or "No such file or directory" in said:
        return (
            f"There is no program {place.program} on {place.host}.",
            "Install petanomaly there, and name it with its whole path.",
        )
    return None


def _quoted(program: str) -> str:
    if program.startswith("~/"):
        return "~/" + shlex.quote(program[2:])
    return shlex.quote(program)


def _ssh() -> str:
    """Only from folders that PATH names in full: the current one is where the data lie."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if sys.platform == "win32":
        root = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"))
        folders.append(str(root / "System32" / "OpenSSH"))
    whole = os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())
    found = shutil.which("ssh", path=whole)
    if found is None:
        raise InputError("This computer has no ssh.", "Install OpenSSH's client.")
    return found
