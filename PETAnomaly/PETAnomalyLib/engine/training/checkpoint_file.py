"""`checkpoint.pt`: tensors and plain values. Whoever wrote one, reading it runs no code of it."""

from __future__ import annotations

import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.regular_file import open_regular


def write_checkpoint(path: Path, step: int, seconds: float, state: dict[str, Any]) -> None:
    """Write in one move: a kill leaves the checkpoint before.

    Args:
        path: where.
        step: optimisation steps done.
        seconds: trained so far.
        state: tensors and plain values, nested; no keys `step` and `elapsed_s`.
    """
    partial = path.with_suffix(f".{os.getpid()}.partial")
    torch.save({"step": step, "elapsed_s": seconds, **state}, partial)
    partial.replace(path)


def read_checkpoint(path: Path) -> tuple[int, float, dict[str, Any]]:
    """Steps, seconds and state, as `write_checkpoint` was given them; the tensors on the CPU.

    Raises:
        InputError: damaged, or it holds what could run code.
    """
    try:
        with open_regular(path) as file:
            _refuse_other_forms(file, path)
            content = torch.load(file, map_location="cpu", weights_only=True)
    except (InputError, MemoryError):
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} holds more than tensors and plain values: reading it could run code",
            "resume runs of your own only; its weights.safetensors can be taken without danger",
        ) from error
    except Exception as error:  # what a foreign file makes the reader stumble over is its choice
        raise _damaged(path) from error
    if type(content) is not dict or not all(type(key) is str for key in content):
        raise _damaged(path)
    step, seconds = content.pop("step", None), content.pop("elapsed_s", None)
    if type(step) is not int or step < 0:
        raise _damaged(path)
    if type(seconds) is not float or not 0 <= seconds < math.inf:
        raise _damaged(path)
    return step, seconds, content


def _refuse_other_forms(file: Any, path: Path) -> None:
    """Only what `torch.save` writes today. TorchScript is code; until PyTorch 2.6 it was run, and a
    file of the old form with it, whatever `weights_only` said (CVE-2025-32434).
    """
    if not zipfile.is_zipfile(file):
        raise _damaged(path)
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        names = [name.rsplit("/", 1)[-1] for name in archive.namelist()]
    if names.count("data.pkl") != 1 or "constants.pkl" in names:
        raise _damaged(path)
    file.seek(0)


def _damaged(path: Path) -> InputError:
    return InputError(f"{path} is damaged", "remove it to begin again, or put a copy back")
