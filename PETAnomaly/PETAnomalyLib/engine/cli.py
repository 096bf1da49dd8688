"""The command line `petanomaly`: one way in, for people, for scripts and for the Slicer panel.

    petanomaly detect --pet PATH [--ct PATH] --out DIR ...
    petanomaly dicom RESULT --pet DICOM_DIR
    petanomaly remote check HOST
    petanomaly models list | show NAME | verify DIR | add DIR|ZIP
    petanomaly suv DICOM_DIR --out FILE.nii.gz
    petanomaly phantom --out DIR --count N --seed S

Each subcommand lives in `commands/`. Here is what they share: which reporter tells the story, what
stops a run, and what every kind of failure looks like from outside. Exit codes: 0 done, 1 a bug,
2 bad input or usage, 3 out of memory, 4 cancelled, 5 some studies of a cohort failed.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.errors import Cancelled, PETAnomalyError
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
from PETAnomalyLib.engine.runtime.known_error import as_known
from PETAnomalyLib.engine.runtime.output import abandon_partial_output
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.standard_streams import (
    leave_standard_streams,
    open_standard_streams,
)

AddCommand = Callable[[Any], argparse.ArgumentParser]


class UsageError(PETAnomalyError):
    """A command line that cannot be understood."""

    kind = "usage"


class _Stopped(BaseException):
    """A signal, in a command that does not ask whether it shall stop.

    No KeyboardInterrupt: once a library's C code has met one, Python ends itself by SIGINT,
    whatever the program makes of it (`_Py_UnhandledKeyboardInterrupt`, CPython's Modules/main.c).
    """


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are `UsageError`s, so that they become events too."""

    def error(self, message: str) -> NoReturn:
        """Raises:
        UsageError: always.
        """
        sentence = message[:1].upper() + message[1:].rstrip(".") + "."
        raise UsageError(sentence, f"See {self.prog} --help.")

    def _print_message(self, message: str, file: Any = None) -> None:
        """For --help and --version; argparse's own says nothing of a disk that is full."""
        print(message, end="", file=file or sys.stdout, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name; default: this process's own.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    open_standard_streams()
    cancellation = Cancellation(abandon_partial_output)
    try:
        if "--events" in arguments:
            with events_on_stdout() as stream:
                return _run(arguments, JsonReporter(stream, cancellation), cancellation)
        _accept_any_character()
        return _run(arguments, ConsoleReporter(cancellation), cancellation)
    finally:
        leave_standard_streams()


def commands() -> tuple[AddCommand, ...]:
    """What adds each subcommand.

    Imported here: a library that is missing or broken is then said as any other failure is.
    """
    from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
    from PETAnomalyLib.engine.commands.bench import add_bench
    from PETAnomalyLib.engine.commands.cohort import add_cohort
    from PETAnomalyLib.engine.commands.detect import add_detect
    from PETAnomalyLib.engine.commands.dicom import add_dicom
    from PETAnomalyLib.engine.commands.evaluate import add_evaluate
    from PETAnomalyLib.engine.commands.models import add_models
    from PETAnomalyLib.engine.commands.remote import add_remote
    from PETAnomalyLib.engine.commands.studies import add_phantom, add_suv
    from PETAnomalyLib.engine.commands.training import add_calibrate, add_export, add_train

    return (
        add_detect,
        add_dicom,
        add_remote,
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


def parser() -> argparse.ArgumentParser:
    """The parser with every subcommand."""
    top = Parser(
        prog="petanomaly",
        description="Unsupervised anomaly detection in whole-body FDG-PET/CT. Research use only.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"petanomaly {__version__}")
    subcommands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add_to in commands():
        add_to(subcommands)
    return top


def _run(arguments: Sequence[str], reporter: Reporter, cancellation: Cancellation) -> int:
    try:
        with contextlib.ExitStack() as while_running:
            while_running.enter_context(_signals_unwind(cancellation))
            options = parser().parse_args(arguments)
            if options.cancellable:
                while_running.enter_context(cancellation.on_signals())
            if getattr(options, "events", False):
                while_running.enter_context(cancellation.on_closed_stdin())
            options.run(options, reporter)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more
        return Cancelled.exit_code
    except (Exception, KeyboardInterrupt) as error:
        known = as_known(error)
        _tell(reporter, known)
        return known.exit_code
    return 0


def _tell(reporter: Reporter, known: PETAnomalyError) -> None:
    try:
        reporter.error(known)
    except OSError:  # the events can't be written; a person may see it all the same
        with contextlib.suppress(OSError):
            ConsoleReporter().error(known)


@contextlib.contextmanager
def _signals_unwind(cancellation: Cancellation) -> Iterator[None]:
    """SIGINT and SIGTERM raise, so that temporary files are removed; a second one ends at once.

    Raises:
        Cancelled: when one has come, whatever the command made of it: NumPy, stopped in the midst
            of its import, says ImportError.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopped = threading.Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            cancellation.end_now()
        stopped.set()
        raise _Stopped

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except BaseException as error:
        if stopped.is_set():
            raise Cancelled("Stopped on request.") from error
        raise
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _accept_any_character() -> None:
    """A terminal that cannot show a character shows a substitute; it ends no run."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
