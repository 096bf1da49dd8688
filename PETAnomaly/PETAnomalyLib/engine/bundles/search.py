"""Where models are looked for: what is shipped, what is named, what the user has installed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.printable import printable


def user_folder() -> Path:
    """Where `add_bundle` installs: ~/.petanomaly/models."""
    return Path.home() / ".petanomaly" / "models"


def search_folders() -> list[Path]:
    """Where models are looked for, in this order.

    What is shipped (`shipped_folders`), $PETANOMALY_MODELS (several folders, separated as in PATH),
    and the user's folder.
    """
    named = os.environ.get("PETANOMALY_MODELS", "").split(os.pathsep)
    return [*shipped_folders(), *(Path(text) for text in named if text), user_folder()]


def shipped_folders() -> list[Path]:
    """Where the models lie that come with this program: Resources/Models in PETAnomalyLib (a
    wheel), beside it (an installed extension) or at the top of the repository.
    """
    here = Path(__file__).resolve().parents
    return [parent / "Resources" / "Models" for parent in here[2:5]]


def names_of_shipped_folders() -> set[str]:
    """In lower case, also of models that are damaged: nothing else must take their place."""
    names: set[str] = set()
    for folder in shipped_folders():
        with suppress(BundleError):
            names.update(path.name.lower() for path in model_folders(folder))
    return names


def is_shipped(folder: Path) -> bool:
    """Whether a model's folder is one of those that come with this program."""
    return folder.parent in shipped_folders()


def model_folders(folder: Path) -> list[Path]:
    """The folders in it that have a manifest, or that cannot be looked into.

    Raises:
        BundleError: the folder is there, but cannot be read.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names, to leave out hidden ones
    except (FileNotFoundError, NotADirectoryError):  # which is usual
        return []
    except OSError as error:
        raise BundleError(
            f"The folder of models {printable(str(folder))} cannot be read: "
            f"{error.strerror or error}.",
            "Check its permissions.",
        ) from error
    folders = (folder / name for name in names if not name.startswith("."))
    return [path for path in folders if _holds_manifest(path)]


def _holds_manifest(folder: Path) -> bool:
    """Whether a manifest is there; one that nobody may look at is, and who reads it will say so."""
    try:
        (folder / "configs" / "metadata.json").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
