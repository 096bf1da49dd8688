"""UIDs that follow from what they stand for: the same content has the same, another another."""

from __future__ import annotations

import hashlib
import uuid


def derived_uid(*parts: str) -> str:
    """A UID made from a UUID (PS3.5, B.2), which is made from the parts' SHA-256."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, digest).int}"
