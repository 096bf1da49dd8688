"""The system's sshd on this computer alone, with keys made for the test, as the other computer."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine_process import environment
from repository import MODULE
from required_program import program

PACKAGE = "openssh-server openssh-client"
SECONDS = 20


@dataclass(frozen=True)
class OtherSide:
    """A computer that ssh reaches.

    Attributes:
        host: its name for ssh.
        petanomaly: the program there.
        temporary: its folder for temporary files.
        environment: of a process here that shall find it.
        folder: of ssh's files, `known_hosts` and `key` among them.
    """

    host: str
    petanomaly: Path
    temporary: Path
    environment: dict[str, str]
    folder: Path

    @property
    def options(self) -> list[str]:
        """For `petanomaly`, to go there."""
        return ["--host", self.host, "--program", str(self.petanomaly)]

    def left_behind(self) -> list[str]:
        """What runs have left there."""
        return sorted(
            path.name for path in self.temporary.glob("petanomaly-*/*") if path.name != ".lock"
        )

    def wait_until_clean(self, seconds: float) -> float:
        """Wait until nothing is left there; returns the seconds that took."""
        begin = time.monotonic()
        while self.left_behind() or self.processes():
            waited = time.monotonic() - begin
            assert waited < seconds, (self.left_behind(), self.processes())
            time.sleep(0.05)
        return time.monotonic() - begin

    def processes(self) -> list[str]:
        """The command lines of what runs there."""
        mark = f"PETANOMALY_TEST_THERE={self.temporary}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if words:  # a process that has ended and not been waited for has none
                        found.append(f"{folder.name} {words}")
        return found


@contextlib.contextmanager
def other_side(folder: Path, limit: str = "") -> Iterator[OtherSide]:
    """Start it.

    Args:
        folder: for its files; made.
        limit: a line of shell before petanomaly is started there.
    """
    sshd, ssh = program("sshd", PACKAGE), program("ssh", PACKAGE)
    keygen = program("ssh-keygen", PACKAGE)
    folder.mkdir(parents=True)
    files = folder / "ssh"
    files.mkdir(mode=0o700)
    for key in ("host", "key"):
        subprocess.run(
            [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(files / key)], check=True
        )
    shutil.copy(files / "key.pub", files / "authorized_keys")
    port = _free_port()
    public = (files / "host.pub").read_text(encoding="ascii").split()
    (files / "known_hosts").write_text(
        f"[127.0.0.1]:{port} {public[0]} {public[1]}\n", encoding="ascii"
    )
    (files / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {files / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {files / 'authorized_keys'}\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\n",
        encoding="utf-8",
    )
    (files / "config").write_text(
        f"Host there\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {files / 'key'}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
        f"  UserKnownHostsFile {files / 'known_hosts'}\n  GlobalKnownHostsFile /dev/null\n",
        encoding="utf-8",
    )
    here = folder / "bin"
    here.mkdir()
    _script(here / "ssh", f'exec {ssh} -F {shlex.quote(str(files / "config"))} "$@"')
    temporary = folder / "täg lich"
    temporary.mkdir()
    petanomaly = folder / "Programme von Müller" / "petanomaly"
    petanomaly.parent.mkdir()
    variables = {"PYTHONPATH": str(MODULE), "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1",
                 "PYTHONUTF8": "1", "PETANOMALY_TEST_THERE": str(temporary)}  # fmt: skip
    exports = "\n".join(f"export {name}={shlex.quote(v)}" for name, v in variables.items())
    _script(petanomaly, f'{exports}\n{limit}\nexec {sys.executable} -m PETAnomalyLib.engine "$@"')
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd asks for it
    with (files / "log").open("wb") as log:
        server = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(files / "sshd_config")], stdout=log, stderr=log
        )
    try:
        _wait(port, server, files / "log")
        path = {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
        yield OtherSide("there", petanomaly, temporary, {**environment(), **path}, files)
    finally:
        server.terminate()
        server.wait(SECONDS)


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace"))
