"""Orthanc with its DICOMweb plugin, started for a test on this computer alone."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from required_program import file, program

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SECONDS = 60


@contextlib.contextmanager
def orthanc(folder: Path) -> Iterator[str]:
    """An empty archive whose files lie in `folder`; yields the root of its DICOMweb service."""
    command = program("Orthanc", "orthanc")
    plugin = file(PLUGIN, "orthanc-dicomweb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    configuration = {
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "Plugins": [str(plugin)],
        "HttpPort": port, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "DicomServerEnabled": False, "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([command, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        root = f"http://127.0.0.1:{port}"
        _wait(f"{root}/system", process, folder / "log")
        yield f"{root}/dicom-web"
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        with contextlib.suppress(OSError), direct.open(url, timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace"))
