"""The subcommands of `petanomaly`, one family a file.

Each file has a function that adds its subcommands to the parser and sets two defaults on them:
`run(options, reporter)`, and `cancellable`: it asks `reporter.check_cancelled()` as it goes.
Everything heavy (torch, the image libraries) is imported when a command runs, not before.
"""

from __future__ import annotations

import argparse
from typing import Any, Callable

from PETAnomalyLib.engine.commands.bench import add_bench
from PETAnomalyLib.engine.commands.cohort import add_cohort
from PETAnomalyLib.engine.commands.detect import add_detect
from PETAnomalyLib.engine.commands.models import add_models
from PETAnomalyLib.engine.commands.studies import add_phantom, add_suv
from PETAnomalyLib.engine.commands.training import (
    add_calibrate,
    add_evaluate,
    add_export,
    add_train,
)

Subcommands = Any  # argparse keeps the type of its subparsers to itself

ALL: tuple[Callable[[Subcommands], argparse.ArgumentParser], ...] = (
    add_detect,
    add_models,
    add_suv,
    add_phantom,
    add_cohort,
    add_train,
    add_calibrate,
    add_export,
    add_evaluate,
    add_bench,
)
