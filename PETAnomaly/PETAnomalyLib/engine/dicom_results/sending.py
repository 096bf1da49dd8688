"""DICOM objects sent to an archive: DICOMweb, Store Transaction (STOW-RS, PS3.18, 10.5).

The only place of the engine that opens a connection, and only for `--send`. What is sent is about a
patient: TLS with the system's trust, or plain HTTP within this computer; never redirected.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pydicom
import requests
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import text
from PETAnomalyLib.engine.study.input_path import open_input, shown

TOKEN_VARIABLE = "PETANOMALY_DICOMWEB_TOKEN"
CONNECT_S, ANSWER_S = 10.0, 300.0  # an archive may index before it answers
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_STORED = 200  # 202: some objects were not stored


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service.

    Attributes:
        url: its root, without a slash at its end.
        host: with port, for messages.
        encrypted: TLS; otherwise it is on this computer.
    """

    url: str
    host: str
    encrypted: bool


def archive_at(url: str) -> Archive:
    """Look at an address before anything is made.

    Raises:
        InputError: no address of a service, plain HTTP to another computer, or a name and password
            in it, which others on this computer could read.
    """
    choose = "Give the root of the DICOMweb service, such as https://pacs.example.org/dicom-web."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError("The address of the archive is no URL.", choose) from error
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "The address of the archive holds a name or password: others see command lines.",
            f"Put a token into a file (--token-file) or into {TOKEN_VARIABLE}.",
        )
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise InputError("The address of the archive is no address of a DICOMweb service.", choose)
    if parts.scheme == "http" and not _is_this_computer(host):
        raise InputError(
            f"{host} is another computer, and http would send the patient's data readable to all "
            "between.",
            "Use https.",
        )
    named = f"[{host}]" if ":" in host else host
    place = f"{named}:{port}" if port else named
    path = parts.path.rstrip("/")
    return Archive(f"{parts.scheme}://{place}{path}", place, parts.scheme == "https")


def read_token(file: Path | None) -> str | None:
    """The token from a file, else from the environment; None where neither is given.

    Raises:
        InputError: the file cannot be read, or what it holds is no token.
    """
    if file is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        where = TOKEN_VARIABLE
    else:
        with open_input(file) as stream:
            token = stream.read(1 << 16).decode("latin-1").strip()
        where = shown(file)
        if not token:
            raise InputError(f"{where} is empty: it holds no token.", "Write the token into it.")
    if not token:
        return None
    if not _TOKEN.fullmatch(token):
        raise InputError(
            f"What {where} holds is no token: a token is one word.", "Write the token alone."
        )
    return token


def send(files: Sequence[Path], archive: Archive, token: str | None) -> None:
    """Store objects; an archive that has them already keeps them.

    Raises:
        InputError: an object is anonymous, the archive cannot be reached or trusted, refuses them,
            or does not confirm each of them.
    """
    objects = [pydicom.dcmread(path) for path in files]
    refuse_anonymous(any(text(one, "PatientIdentityRemoved") == "YES" for one in objects))
    status: list[int] = []
    try:
        stored = _client(archive, token, status).store_instances(objects)
    except requests.exceptions.RequestException as error:
        raise _failure(error, archive) from error
    except (ValueError, TypeError, KeyError, AttributeError, SyntaxError) as error:  # of XML
        what, remedy = _NO_DICOMWEB
        raise InputError(f"{archive.host} {what}", remedy) from error
    confirmed = _confirmed(stored)
    missing = [one for one in objects if str(one.SOPInstanceUID) not in confirmed]
    if missing or status[-1:] != [_STORED]:
        kinds = " and ".join(text(one, "Modality") for one in missing) or "something"
        raise InputError(
            f"{archive.host} did not store {kinds}{_reasons(stored)}.",
            "Look into the log of the archive.",
        )


def refuse_anonymous(anonymous: bool) -> None:
    """What has no patient has no place in an archive of patients.

    Raises:
        InputError: it is so.
    """
    if anonymous:
        raise InputError(
            "Anonymous objects are not sent: no archive could file them under a patient.",
            "Leave out --anonymous or --send.",
        )


def _is_this_computer(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False


class _Bearer(requests.auth.AuthBase):
    """The token, or nothing: with an `auth` of its own, a session takes none from .netrc."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _client(archive: Archive, token: str | None, status: list[int]) -> DICOMwebClient:
    """A client that tries once, follows nothing, and notes the status of what it is answered."""

    def note(response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        status.append(response.status_code)
        kind = response.headers.get("Content-Type", "")
        response.headers["Content-Type"] = kind.partition(";")[0].strip().lower()
        return response

    session = requests.Session()
    session.auth = _Bearer(token)
    session.max_redirects = 0
    session.trust_env = archive.encrypted  # within this computer no proxy is asked
    session.headers["Accept"] = "application/dicom+json"
    client = DICOMwebClient(
        archive.url,
        session=session,
        callback=note,
        chunk_size=1 << 40,  # whole, with its length: not every proxy takes chunks
        timeout=(CONNECT_S, ANSWER_S),
    )
    client.host = archive.host  # the header Host, which it would send without the port
    client.set_http_retry_params(retry=False)
    return client


def _confirmed(stored: Dataset) -> set[str]:
    return {
        text(item, "ReferencedSOPInstanceUID") for item in stored.get("ReferencedSOPSequence") or []
    }


def _reasons(stored: Dataset) -> str:
    """Codes of PS3.18, table 10.5.1-3, as archives give them."""
    codes = {
        f"{int(item.FailureReason):04X}H"
        for item in stored.get("FailedSOPSequence") or []
        if item.get("FailureReason") is not None
    }
    return f" (failure reason {', '.join(sorted(codes))})" if codes else ""


def _failure(error: requests.exceptions.RequestException, archive: Archive) -> InputError:
    host = archive.host
    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return _refusal(host, error.response.status_code)
    for kind, (what, remedy) in _FAILURES.items():
        if isinstance(error, kind):
            return InputError(f"{host} {what}", remedy)
    return InputError(
        f"{host} cannot be reached, or broke off.", "Check the address, the network and the proxy."
    )


_NO_DICOMWEB = (
    "answered in words that no DICOMweb service uses: whether it stored anything is not known.",
    "Check the address; it is the root of the service, to which /studies is added.",
)
_FAILURES: dict[type[Exception], tuple[str, str]] = {
    requests.exceptions.JSONDecodeError: _NO_DICOMWEB,
    requests.exceptions.SSLError: (
        "is not trusted: its certificate could not be verified. Nothing was sent.",
        "If your own authority signed it, name its file in REQUESTS_CA_BUNDLE.",
    ),
    requests.exceptions.TooManyRedirects: (
        "sends on to another address, which is not followed.",
        "Give the address of the DICOMweb service itself.",
    ),
    requests.exceptions.Timeout: (
        "did not answer in time.",
        "Try again; what is stored already is not stored twice.",
    ),
}


def _refusal(host: str, code: int) -> InputError:
    if code in (401, 403):
        return InputError(
            f"{host} does not let you in (HTTP {code}).",
            f"Put a valid token into a file (--token-file) or into {TOKEN_VARIABLE}.",
        )
    return InputError(
        f"{host} refused the objects (HTTP {code}).", "Look into the log of the archive."
    )
