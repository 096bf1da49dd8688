"""The current folder is no place to import from: it is where the user's data lie.

`python -m PETAnomalyLib.engine` puts it first on the path, before the standard library, and an
empty part of PYTHONPATH puts it anywhere: a `json.py` or `numpy.py` among somebody else's files
would run. Imported before anything else of the engine, this takes it off; in a process that runs
the engine only, not in Slicer's.

What Python itself imports before us (`runpy`) is out of reach: for that there are `petanomaly`, and
`python -I -m PETAnomalyLib.engine` where the package is installed.
"""

# Only what Python has imported before us: even `from __future__` and pathlib are files.
# ruff: noqa: PTH100, PTH109, PTH119, PTH120, PTH122
import os
import sys

_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def leave_current_folder() -> None:
    """Take the current folder off `sys.path`, here and in the processes that this one starts."""
    # Worker processes start with `-c`, which is like `-m`. Python 3.11 and later listen to this.
    os.environ["PYTHONSAFEPATH"] = "1"
    if _is_current(_LIBRARY):
        return  # in a checkout, the folder that we are imported from
    is_safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if sys.argv[0] == "-m" and not is_safe and sys.path and _is_current(sys.path[0]):
        del sys.path[0]
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if any(part in ("", os.curdir) for part in named):
        sys.path[:] = [folder for folder in sys.path if not _is_current(folder)]


def is_program() -> bool:
    """Whether this process was started to run the engine, and is not Slicer's or a test's."""
    if sys.argv[:1] == ["-m"]:  # Python is still looking for the module that it shall run
        return True
    file = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    name = os.path.splitext(os.path.basename(file))[0]
    return name in ("petanomaly", "__main__")  # the installed script; the one in petanomaly.exe


def _is_current(folder: str) -> bool:
    try:
        return os.path.realpath(folder) == os.path.realpath(os.getcwd())
    except OSError:  # the current folder is gone
        return not folder


if is_program():
    leave_current_folder()
