"""The bytes of an open file in order, unpacked where they are packed, and to the very end."""

from __future__ import annotations

import math
import os
import zlib
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.runtime.errors import InputError

GZIP = 16 + zlib.MAX_WBITS
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
"""How data are packed, in zlib's own numbers (`wbits`)."""

# Deflate packs at most 1030 bytes into one: zlib.net/zlib_tech.html, "Maximum Compression".
_MOST_A_PACKED_BYTE = 1040
_CHUNK = 1 << 18
_MOST_PADDING = 1 << 20  # a tape's block; a sparse file can be made of terabytes of zeros
_AGAIN = "Copy or export the file again."


class ByteStream:
    """Reads a file from where it stands, once and forwards.

    Packed data end with a checksum and, in gzip, their length: `finish` has read both, so that data
    in which a bit is wrong are never taken. Several gzip members behind one another are one stream
    (RFC 1952); zeros behind the last are padding, as on tapes.

    Args:
        file: open, at the first byte.
        name: how messages call it.
        packing: None for plain bytes, `GZIP` or `GZIP_OR_ZLIB`.
    """

    def __init__(self, file: BinaryIO, name: str, packing: int | None = None) -> None:
        self._file = file
        self._name = name
        self._packing = packing
        self._inflater: Any = None if packing is None else zlib.decompressobj(packing)
        self._packed = b""  # read from the file, not yet unpacked
        self._padding = 0
        self._position = 0

    def some(self, count: int) -> bytes:
        """The next bytes, `count` or as many as there are."""
        buffer = bytearray(count)
        return bytes(buffer[: self._fill(memoryview(buffer))])

    def exactly(self, count: int) -> npt.NDArray[np.uint8]:
        """The next `count` bytes.

        Raises:
            InputError: they are not all there, or damaged. No memory is taken for bytes that cannot
                be there.
        """
        promised = self._position + count
        if count > self._most_left():
            raise InputError(
                f"{self._name} is truncated: its header announces {promised} bytes, and the "
                f"{os.fstat(self._file.fileno()).st_size} of the file cannot hold them.",
                _AGAIN,
            )
        try:
            buffer = np.empty(count, np.uint8)
        except MemoryError as error:
            raise InputError(
                f"{self._name} needs {count / 1e9:.1f} GB of memory, more than there is.",
                "Give a smaller volume.",
            ) from error
        if self._fill(buffer.data) < count:
            raise InputError(
                f"{self._name} is truncated: its header announces {promised} bytes, "
                f"{self._position} are there.",
                _AGAIN,
            )
        return buffer

    def skip(self, count: int) -> None:
        """Pass over the next `count` bytes.

        Raises:
            InputError: they are not all there, or damaged.
        """
        while count:
            count -= len(self.exactly(min(count, _CHUNK)))

    def rest(self, limit: int) -> bytes:
        """All bytes that are left.

        Raises:
            InputError: more than `limit`, or damaged.
        """
        found = self.some(min(limit, math.ceil(self._most_left())) + 1)
        if len(found) > limit:
            raise self._too_long()
        return found

    def finish(self) -> None:
        """Make sure that this was all, and whole.

        Raises:
            InputError: bytes are left that the header does not know of, or a checksum is wrong.
        """
        if self.some(1):
            raise self._too_long()

    def _too_long(self) -> InputError:
        return InputError(
            f"{self._name} holds more bytes than its header announces: one of them is wrong.",
            _AGAIN,
        )

    def _most_left(self) -> float:
        """How many bytes may be left at most, by the size of the file."""
        left = os.fstat(self._file.fileno()).st_size - self._file.tell()
        if self._packing is None:
            return left
        return (left + len(self._packed)) * _MOST_A_PACKED_BYTE + _CHUNK

    def _fill(self, target: memoryview) -> int:
        """Fill `target` as far as there are bytes; returns how far."""
        filled = 0
        read = self._read_plain if self._packing is None else self._read_packed
        while filled < len(target):
            count = read(target[filled:])
            if not count:
                break
            filled += count
        self._position += filled
        return filled

    def _read_plain(self, target: memoryview) -> int:
        try:
            return self._file.readinto(target)  # type: ignore[attr-defined, no-any-return]
        except OSError as error:
            raise self._unreadable(error) from error

    def _read_packed(self, target: memoryview) -> int:
        """Unpack at least one byte into `target`; 0 at the end."""
        while True:
            if self._inflater.eof and not self._next_member():
                return 0
            try:
                piece = self._inflater.decompress(self._packed, min(len(target), _CHUNK))
            except zlib.error as error:
                raise InputError(
                    f"{self._name} is damaged: its compressed data do not add up ({error}).", _AGAIN
                ) from error
            self._packed = (
                self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            )
            if piece:
                target[: len(piece)] = piece
                return len(piece)
            if not self._inflater.eof and not self._packed:
                self._packed = self._more()
                if not self._packed:
                    raise InputError(
                        f"{self._name} is truncated: its compressed data break off after "
                        f"{self._position} bytes.",
                        _AGAIN,
                    )

    def _next_member(self) -> bool:
        """Begin the member behind one that has ended; False where there is none."""
        while not self._packed.strip(b"\0"):
            self._padding += len(self._packed)
            self._packed = self._more()
            if not self._packed:
                return False
            if self._padding > _MOST_PADDING:
                raise self._too_long()
        self._inflater = zlib.decompressobj(self._packing or GZIP)
        return True

    def _more(self) -> bytes:
        try:
            return self._file.read(_CHUNK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> InputError:
        return InputError(f"{self._name} cannot be read: {error.strerror or error}.", _AGAIN)
