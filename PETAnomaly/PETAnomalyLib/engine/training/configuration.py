"""Settings of the stages and of export, calibrations too: files that hold a JSON object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.json_section import Document, Section


def read_configuration(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: the file cannot be read, or is something else.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # of encodings and of JSON too
        raise InputError(f"the settings in {path} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise InputError(f"the settings in {path} are not a JSON object")
    return settings


def read_section(path: Path) -> Section:
    """The same, to be checked key by key.

    Raises:
        InputError: the file cannot be read, or is something else; and from the section's checks.
    """
    return Section(read_configuration(path), Document(str(path), "Correct it there.", InputError))
