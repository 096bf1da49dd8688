"""`python -m PETAnomalyLib.engine` is the command line `petanomaly`; the panel runs this file."""

# Nothing else is imported before the path is right.
# ruff: noqa: PTH100, PTH120
import os
import sys

if not __package__:
    # By path, Python looks for imports beside this file, or with -I nowhere that PETAnomalyLib is.
    _HERE = os.path.dirname(os.path.abspath(__file__))
    _LIBRARY = os.path.dirname(os.path.dirname(_HERE))
    sys.path[:] = [_LIBRARY, *(folder for folder in sys.path if folder != _HERE)]

if __name__ == "__main__":  # worker processes import the file as well
    from PETAnomalyLib.engine.cli import main

    sys.exit(main())
