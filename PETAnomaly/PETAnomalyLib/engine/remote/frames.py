"""What goes through the connection: pieces with a kind and a length, and a heartbeat both ways.

Either side counts as silent when it has been waited for and not a byte has come; while this side
is busy with something else it waits for nobody.
"""

from __future__ import annotations

import contextlib
import json
import struct
import threading
import time
from collections.abc import Iterator
from io import RawIOBase
from typing import Any

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.json_file import parse_json

MARK = b"\nPETANOMALY-REMOTE-1\n"
"""Written first: a login there may print a greeting before it."""

MOST_GREETING_BYTES = 1 << 16
MOST_JSON_BYTES = 1 << 24  # the names of 20,000 files
BLOCK_BYTES = 1 << 18
HEARTBEAT_SECONDS = 2.0

HEARTBEAT, JSON, BLOCK = b"H", b"J", b"B"
_MOST_BYTES = {HEARTBEAT: 0, JSON: MOST_JSON_BYTES, BLOCK: BLOCK_BYTES}
_HEADER = struct.Struct(">cI")


class RemoteError(PETAnomalyError):
    """The other computer cannot be used, or is no longer heard."""

    kind = "remote"


class Frames:
    """Pieces in and out. One thread receives; any may send.

    Args:
        source, target: unbuffered binary streams.
    """

    def __init__(self, source: RawIOBase, target: RawIOBase) -> None:
        self._source = source
        self._target = target
        self._sending = threading.Lock()
        self._waiting_since: float | None = None

    @property
    def silent_seconds(self) -> float:
        """How long not a byte has come that is being waited for."""
        since = self._waiting_since
        return 0.0 if since is None else time.monotonic() - since

    def send_mark(self) -> None:
        """Say that what follows are pieces."""
        self._write(MARK)

    def send_json(self, message: dict[str, Any]) -> None:
        """Raises:
        OSError: nobody reads any more.
        """
        self.send(JSON, json.dumps(message).encode("ascii"))

    def send(self, kind: bytes, content: bytes) -> None:
        """Raises:
        OSError: nobody reads any more.
        """
        with self._sending:
            self._write(_HEADER.pack(kind, len(content)) + content)

    @contextlib.contextmanager
    def heartbeat(self) -> Iterator[None]:
        """While inside, the other side hears of this one every two seconds."""
        ended = threading.Event()

        def beat() -> None:
            with contextlib.suppress(OSError, ValueError):  # whoever receives notices the end
                while not ended.wait(HEARTBEAT_SECONDS):
                    self.send(HEARTBEAT, b"")

        threading.Thread(target=beat, name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def wait_for_mark(self) -> bool:
        """Skip what stands before the mark; False when it does not come."""
        seen = b""
        while not seen.endswith(MARK):
            byte = self._read(1)
            if not byte or len(seen) > MOST_GREETING_BYTES:
                return False
            seen += byte
        return True

    def receive(self) -> tuple[bytes, bytes] | None:
        """The next piece, (kind, content), without heartbeats; None at the end.

        Raises:
            RemoteError: what comes is no piece.
        """
        while True:
            header = self._exactly(_HEADER.size)
            if header is None:
                return None
            kind, size = _HEADER.unpack(header)
            if size > _MOST_BYTES.get(kind, -1):
                raise RemoteError(
                    "What comes from the other computer cannot be understood.",
                    "Is the same version of petanomaly installed there?",
                )
            content = self._exactly(size)
            if content is None:
                return None
            if kind != HEARTBEAT:
                return kind, content

    def receive_json(self) -> dict[str, Any] | None:
        """The next piece, an object; None at the end.

        Raises:
            RemoteError: it is something else.
        """
        piece = self.receive()
        if piece is None:
            return None
        try:
            message = parse_json(piece[1].decode("utf-8")) if piece[0] == JSON else None
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise RemoteError(
                "The other computer said something that cannot be understood.",
                "Is the same version of petanomaly installed there?",
            )
        return message

    def _exactly(self, size: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < size:
            part = self._read(size - len(parts))
            if not part:
                return None
            parts += part
        return bytes(parts)

    def _read(self, most: int) -> bytes:
        self._waiting_since = time.monotonic()
        try:
            return self._source.read(most) or b""
        except (OSError, ValueError):  # it was closed
            return b""
        finally:
            self._waiting_since = None

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._target.write(rest) or 0 :]
