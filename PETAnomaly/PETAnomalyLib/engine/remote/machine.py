"""What a computer has for detections: versions, models, graphics cards, free memory and disk."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.bundles.installed import installed_bundles

_PACKAGES = ("torch", "monai", "numpy", "scipy", "SimpleITK")


def describe_machine(folder: Path) -> dict[str, Any]:
    """JSON-able. Takes the seconds that importing torch takes.

    Args:
        folder: whose disk is meant.
    """
    cards, problem = _graphics_cards()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": _versions(),
        "models": [
            {"name": bundle.name, "title": bundle.title, "sha256": bundle.sha256}
            for bundle in installed_bundles()
        ],
        "cards": cards,
        "problem": problem,
        "free_memory_bytes": _free_memory(),
        "free_disk_bytes": shutil.disk_usage(folder).free,
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _graphics_cards() -> tuple[list[dict[str, Any]], str]:
    """Name, and free memory where the driver tells it; and what is wrong with torch."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return [], f"torch cannot be imported: {error}"
    cards: list[dict[str, Any]] = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        name = torch.cuda.get_device_name(number)
        try:
            free = torch.cuda.mem_get_info(number)[0]
        except RuntimeError as error:  # somebody else has it for himself
            cards.append({"name": name, "free_bytes": None, "problem": str(error)})
            continue
        cards.append({"name": name, "free_bytes": free, "problem": ""})
    if torch.backends.mps.is_available():
        cards.append({"name": "Apple GPU", "free_bytes": None, "problem": ""})
    return cards, ""


def _free_memory() -> int | None:
    """Bytes that a new program can have; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
