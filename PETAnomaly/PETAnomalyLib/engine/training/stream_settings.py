"""What `--stream` was asked for, and what a run began with: it goes on with the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.output import write_whole

MOST_SEEN = 8
LARGEST_FIRST_SEED = 2**62
"""Half of the largest of a phantom: no training comes to the end of them."""
FILE = "stream.json"
NOT_A_STREAM = "studies that are stored"


@dataclass(frozen=True)
class StreamSettings:
    """How studies are made while a network is trained.

    Attributes:
        phantoms: phantoms are made; else the cohort's scans are deformed.
        seed: of the first phantom; of scans, of what is drawn.
        healthy: phantoms have no lesions.
        seen: how often each study is seen, 1 to `MOST_SEEN`.
        processes: that make studies, beside the one that trains. It changes nothing of them.
    """

    phantoms: bool
    seed: int = 0
    healthy: bool = False
    seen: int = 2
    processes: int = 1

    @property
    def words(self) -> str:
        """What a training sees by them."""
        seen = f"each seen {self.seen} times" if self.seen > 1 else "each seen once"
        if self.phantoms:
            kind = "healthy phantoms" if self.healthy else "phantoms"
            return f"a stream of {kind} of the seeds from {self.seed} on, {seen}"
        return f"a stream of the cohort's scans, deformed by seed {self.seed}, {seen}"


def begin_stream(settings: StreamSettings | None, run: Path, begun: bool) -> None:
    """Write down what a run sees, or check that it goes on with what it began with.

    Args:
        settings: None: studies that are stored.
        run: the run's folder.
        begun: whether there is a checkpoint.

    Raises:
        InputError: it goes on with something else.
        OSError: it cannot be written.
    """
    file = run / FILE
    if begun:
        earlier, now = _words(file), settings.words if settings else NOT_A_STREAM
        if earlier != now:
            raise InputError(
                f"{run} began with {earlier}, and would go on with {now}.",
                "Go on as it began, or choose another --out.",
            )
    elif settings:
        told = asdict(settings)
        del told["processes"]
        write_whole(file, json.dumps({"sees": settings.words, **told}, indent=2) + "\n")
    else:
        file.unlink(missing_ok=True)  # of a run that was stopped before its first checkpoint


def _words(file: Path) -> str:
    if not file.exists():
        return NOT_A_STREAM
    try:
        return str(read_json(file)["sees"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{file} is damaged: {error}", "put a copy back, or choose another --out"
        ) from error
