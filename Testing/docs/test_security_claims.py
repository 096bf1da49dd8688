"""What docs/security.md promises an administrator, read from the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from repository import MODULE, ROOT

# Whatever opens a connection; `socket` is looked at by itself.
NETWORK = {
    "aiohttp", "dicomweb_client", "ftplib", "http", "httpx", "imaplib", "paramiko", "poplib",
    "pynetdicom", "requests", "smtplib", "socketserver", "ssl", "telnetlib", "urllib", "urllib3",
    "webbrowser", "xmlrpc",
}  # fmt: skip
HARMLESS = "urllib.parse"  # takes addresses apart, opens none
SENDING = MODULE / "PETAnomalyLib" / "engine" / "dicom_results" / "sending.py"
SOURCES = sorted(path for path in MODULE.rglob("*.py") if "egg-info" not in str(path))


def imports(path: Path) -> set[str]:
    """The first name of everything that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0] if node.module != HARMLESS else HARMLESS)
    return found


def test_engine_and_panel_import_nothing_that_opens_a_connection() -> None:
    """But for what `petanomaly dicom --send` sends with."""
    assert len(SOURCES) > 100
    users = {path: imports(path) & NETWORK for path in SOURCES if path != SENDING}
    assert {path.name: found for path, found in users.items() if found} == {}
    assert imports(SENDING) & NETWORK == {"dicomweb_client", "requests"}


def test_what_sends_is_imported_by_its_command_alone_and_not_before_it_is_asked_to() -> None:
    (user,) = (one for one in SOURCES if "dicom_results import sending" in one.read_text("utf-8"))
    assert user.name == "dicom.py"
    (place,) = (
        node
        for node in ast.walk(ast.parse(user.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "sending"
    )
    assert place.col_offset > 0, "in a function"


def test_sockets_are_a_pair_within_the_process_and_a_look_at_stdin() -> None:
    users = {path for path in SOURCES if "socket" in imports(path)}
    calls = set()
    for path in users:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("socket."):
                calls.add(ast.unparse(node))
    assert calls == {"socket.socketpair()", "socket.socket(fileno=os.dup(0))"}


@pytest.mark.parametrize("name", ["eval", "exec", "compile", "__import__"])
def test_nothing_is_evaluated(name: str) -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != name, path


def test_a_checkpoint_alone_is_read_by_torch_and_as_tensors_and_plain_values() -> None:
    readers = set()
    # What comes to a worker of a cluster was sent by whoever started it.
    of_files = [path for path in SOURCES if path.name != "cluster.py"]
    for path in of_files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                call = ast.unparse(node.func)
                if call in ("torch.load", "pickle.load", "pickle.loads", "joblib.load"):
                    readers.add(path.name)
                    keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
                    assert keywords.get("weights_only") == "True", path
                allowed = [k.value for k in node.keywords if k.arg == "allow_pickle"]
                assert all(isinstance(v, ast.Constant) and v.value is False for v in allowed), path
    assert readers == {"checkpoint_file.py"}


def test_no_command_goes_through_a_shell() -> None:
    for path in [*SOURCES, ROOT / "setup_torch.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("os.system", "os.popen"), path
                shells = [k for k in node.keywords if k.arg == "shell"]
                assert not shells, path
