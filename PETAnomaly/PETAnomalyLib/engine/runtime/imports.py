"""What is installed here."""

from __future__ import annotations

import importlib.util


def require_installed(*packages: str) -> None:
    """Say at once what is missing, and not after a minute.

    Raises:
        ModuleNotFoundError: with the package's name.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
