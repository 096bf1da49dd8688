"""Where a model runs: CPU, an NVIDIA card, or Apple's; and what that took."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from PETAnomalyLib.engine.runtime.errors import InputError

MOST_THREADS = 64


def choose_device(name: str) -> torch.device:
    """The device of a name: `auto`, `cpu`, `cuda`, `cuda:i` or `mps`.

    Raises:
        InputError: an unknown name, or a device that this computer or this torch does not have.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and (kind != "cuda" or not index.isdigit())):
        raise InputError(
            f"there is no device called '{name}'", "choose auto, cpu, cuda, cuda:0 ... or mps"
        )
    if kind == "cuda" and not cuda:
        raise InputError(
            "this computer's torch sees no CUDA graphics card",
            "use --device auto or cpu, or install a CUDA build with setup_torch.py",
        )
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"there is no graphics card number {index}",
            f"this computer has {torch.cuda.device_count()}, counted from 0",
        )
    if kind == "mps" and not mps:
        raise InputError("this computer's torch has no Apple GPU", "use --device auto or cpu")
    return torch.device(name)


def use_physical_cores() -> None:
    """One thread for each physical core that this process may use, 64 at most.

    Two threads a core compete for the same arithmetic units, and beyond 64 the pieces are too
    small. Whoever sets OMP_NUM_THREADS has decided otherwise.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, min(MOST_THREADS, physical_cores())))


def physical_cores() -> int:
    """Physical cores that this process may use; where the system does not tell, torch's guess."""
    try:
        mine = os.sched_getaffinity(0)
        siblings = {
            Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
            for cpu in mine
        }
    except (AttributeError, OSError):  # not Linux, or a container without /sys
        return torch.get_num_threads()
    return len(siblings)


def device_in_words(device: torch.device) -> str:
    """`cpu`, or the card's name beside its number."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return str(device)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out, on the card or in RAM."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    # torch's CPU allocator and MPS raise plain RuntimeErrors.
    words = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in words or "can't allocate memory" in words
    )


@dataclass(frozen=True)
class PeakMemory:
    """The most memory that this process has held, in megabytes (10^6 bytes); None where unknown."""

    ram_mb: float | None
    gpu_mb: float | None


def peak_memory() -> PeakMemory:
    """The most memory held since the process began."""
    gpu_mb = torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None
    try:
        import resource  # POSIX only
    except ImportError:
        return PeakMemory(None, gpu_mb)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1.0 if sys.platform == "darwin" else 1024.0  # macOS counts bytes, Linux kilobytes
    return PeakMemory(peak * unit / 1e6, gpu_mb)
