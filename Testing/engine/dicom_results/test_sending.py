"""What `--send` refuses, what it shows to whom, and what it makes of every answer.

The archive that stores is Orthanc (test_archive.py). Here a server gives the answers that a good
one does not, over real connections, with TLS too.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicom_studies import reading_of, write_pet, write_result
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.dicom_results.writing import write_objects
from PETAnomalyLib.engine.runtime.errors import InputError
from required_program import program

pytest.importorskip("highdicom")
pytest.importorskip("dicomweb_client")
sending = pytest.importorskip("PETAnomalyLib.engine.dicom_results.sending")

TOKEN = "a-secret.token-4711"


@dataclass
class Seen:
    """Of one request: path, headers, body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """What it answers, and what it was asked."""

    root: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[], bytes] = lambda: b""
    seen: list[Seen] = field(default_factory=list)


@contextlib.contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append(Seen(self.path, dict(self.headers), body))
            content = server.answer()
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        scheme = "https"
    server.root = f"{scheme}://localhost:{listening.server_address[1]}/dicom-web"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("objects")
    return write_objects(place, reading_of(write_pet(place / "pet"), 2))


def confirmation(files: list[Path]) -> bytes:
    """That all were stored, as PS3.18, 10.5.3 has it."""
    answer = pydicom.Dataset()
    answer.ReferencedSOPSequence = []
    for path in files:
        stored = pydicom.Dataset()
        stored.ReferencedSOPInstanceUID = pydicom.dcmread(path).SOPInstanceUID
        answer.ReferencedSOPSequence.append(stored)
    return json.dumps(answer.to_json_dict()).encode()


def send(files: list[Path], server: Server, token: str | None = None) -> None:
    sending.send(files, sending.archive_at(server.root), token)


def answers_well(server: Server, files: list[Path]) -> None:
    server.headers = {"Content-Type": "application/dicom+json; charset=utf-8"}
    server.answer = lambda: confirmation(files)


def test_both_objects_go_in_one_request_with_the_token(server: Server, files: list[Path]) -> None:
    answers_well(server, files)
    send(files, server, TOKEN)
    (request,) = server.seen
    assert request.path == "/dicom-web/studies"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Host"] == server.root.split("/")[2]
    assert request.headers["Content-Type"].startswith('multipart/related; type="application/dicom"')
    assert request.body.count(b"DICM") == 2


def test_without_a_token_none_is_sent_whatever_netrc_holds(
    server: Server, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answers_well(server, files)
    send(files, server)
    send(files, server, TOKEN)
    assert "Authorization" not in server.seen[0].headers
    assert server.seen[1].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_redirection_is_not_followed(server: Server, files: list[Path]) -> None:
    with serving() as other:
        answers_well(other, files)
        server.status, server.headers = 307, {"Location": f"{other.root}/studies"}
        with pytest.raises(InputError, match="sends on to another address"):
            send(files, server, TOKEN)
        assert other.seen == []


@pytest.mark.parametrize(
    ("status", "headers", "answer", "complaint"),
    [
        (401, {}, b"", "does not let you in"),
        (403, {}, b"", "does not let you in"),
        (404, {}, b"", "HTTP 404"),
        (503, {}, b"", "HTTP 503"),
        (200, {}, b"", "did not store SEG and SR"),
        (200, {"Content-Type": "text/html"}, b"<html>Log in</html>", "did not store SEG and SR"),
        (200, {"Content-Type": "application/dicom+json"}, b"{", "answered in words"),
        (200, {"Content-Type": "application/dicom+xml"}, b"<a", "answered in words"),
        (200, {"Content-Type": "application/dicom+json"}, b"[1]", "answered in words"),
    ],
)
def test_every_other_answer_is_a_sentence(
    server: Server, files: list[Path], status: int, headers: dict[str, str], answer: bytes,
    complaint: str,
) -> None:  # fmt: skip
    server.status, server.headers, server.answer = status, headers, lambda: answer
    with pytest.raises(InputError, match=complaint) as refused:
        send(files, server, TOKEN)
    assert TOKEN not in refused.value.message + refused.value.hint
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [200, 202])
def test_an_object_that_the_archive_did_not_store_is_named(
    server: Server, files: list[Path], status: int
) -> None:
    answer = json.loads(confirmation(files[:1]))
    failed = pydicom.Dataset()
    failed.ReferencedSOPInstanceUID = pydicom.dcmread(files[1]).SOPInstanceUID
    failed.FailureReason = 0x0110
    answer.update(_json(FailedSOPSequence=[failed]))
    server.status, server.headers = status, {"Content-Type": "application/dicom+json"}
    server.answer = lambda: json.dumps(answer).encode()
    with pytest.raises(InputError, match=r"did not store SR \(failure reason 0110H\)"):
        send(files, server)


def _json(**elements: Any) -> dict[str, Any]:
    dataset = pydicom.Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    found: dict[str, Any] = dataset.to_json_dict()
    return found


def test_nobody_there_is_a_sentence(files: list[Path]) -> None:
    with serving() as gone:
        pass
    with pytest.raises(InputError, match="cannot be reached"):
        send(files, gone)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of `localhost`."""
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    command = [
        program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    files: list[Path], certificate: Path
) -> None:
    with serving(certificate) as server:
        answers_well(server, files)
        with pytest.raises(InputError, match="its certificate could not be verified"):
            send(files, server, TOKEN)
        assert server.seen == []


def test_one_of_an_authority_that_the_user_names_is(
    files: list[Path], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{certificate}.crt")
    with serving(certificate) as server:
        answers_well(server, files)
        send(files, server, TOKEN)
        assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_anonymous_objects_are_refused(tmp_path: Path, server: Server) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 1, anonymous=True)
    with pytest.raises(InputError, match="Anonymous objects are not sent"):
        send(write_objects(tmp_path, reading), server)
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    ["https://pacs.example.org/dicom-web", "https://pacs.example.org:8443/a/b/", "http://localhost",
     "http://127.0.0.1:8042/dicom-web", "http://127.8.9.1/x", "http://[::1]:8042/dicom-web"],
)  # fmt: skip
def test_addresses_that_are_taken(url: str) -> None:
    archive = sending.archive_at(url)
    assert archive.url == url.rstrip("/")
    assert archive.encrypted == url.startswith("https")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://pacs.example.org/dicom-web", "is another computer"),
        ("http://192.168.1.5:8042/dicom-web", "is another computer"),
        ("http://localhost.example.org/", "is another computer"),
        ("http://127.0.0.1.example.org/", "is another computer"),
        ("http://2130706433/", "is another computer"),
        ("https://someone:secret@pacs.example.org/", "holds a name or password"),
        ("http://127.0.0.1@pacs.example.org/", "holds a name or password"),
        ("ftp://pacs.example.org/", "no address of a DICOMweb service"),
        ("pacs.example.org/dicom-web", "no address of a DICOMweb service"),
        ("https:///dicom-web", "no address of a DICOMweb service"),
        ("https://pacs.example.org/?a=b", "no address of a DICOMweb service"),
        ("https://pacs.example.org:port/", "no URL"),
        ("", "no address of a DICOMweb service"),
    ],
)
def test_addresses_that_are_refused(url: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refused:
        sending.archive_at(url)
    assert "secret" not in refused.value.message + refused.value.hint


def test_a_token_comes_from_a_file_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sending.TOKEN_VARIABLE, raising=False)
    assert sending.read_token(None) is None
    monkeypatch.setenv(sending.TOKEN_VARIABLE, " of-the-environment\n")
    assert sending.read_token(None) == "of-the-environment"
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert sending.read_token(tmp_path / "token") == TOKEN


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "Größe", "x" * 20_000])
def test_what_is_no_token_is_refused_without_being_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="token") as refused:
        sending.read_token(tmp_path / "token")
    assert not content or content not in refused.value.message
    with pytest.raises(InputError, match="does not exist"):
        sending.read_token(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--send", "https://pacs.example.org", "--anonymous"], "Anonymous objects are not sent"),
        (["--send", "http://pacs.example.org"], "is another computer"),
        (["--token-file", "token"], "--token-file is for --send"),
    ],
)
def test_what_cannot_be_sent_is_said_before_anything_is_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: list[str], complaint: str
) -> None:
    pet = write_pet(tmp_path / "pet")
    write_result(tmp_path / "result", pet, 1)
    assert main(["dicom", str(tmp_path / "result"), "--pet", str(pet), *more]) == 2
    assert complaint in " ".join(capfd.readouterr().err.split())
    assert list((tmp_path / "result").glob("*.dcm")) == []


def test_the_command_sends_what_it_wrote_with_the_token_of_the_file(
    tmp_path: Path, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    pet, result = write_pet(tmp_path / "pet"), tmp_path / "result"
    write_result(result, pet, 2)
    (tmp_path / "token").write_text(TOKEN)
    server.headers = {"Content-Type": "application/dicom+json"}
    server.answer = lambda: confirmation(sorted(result.glob("*.dcm")))
    words = ["dicom", str(result), "--pet", str(pet), "--send", server.root, "--events"]
    assert main([*words, "--token-file", str(tmp_path / "token")]) == 0
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    said = capfd.readouterr()
    assert TOKEN not in said.out + said.err
    assert '"name": "send"' in said.out


def test_what_was_written_stays_where_sending_fails(tmp_path: Path, server: Server) -> None:
    pet, result = write_pet(tmp_path / "pet"), tmp_path / "result"
    write_result(result, pet, 1)
    server.status = 500
    assert main(["dicom", str(result), "--pet", str(pet), "--send", server.root]) == 2
    assert len(list(result.glob("*.dcm"))) == 2
