"""Runs a program with the folders to import from named. Run by path, in the engine's Python:

    python -I launcher.py FOLDERS PROGRAM ARGUMENT...

Isolated, Python hears neither PYTHONPATH nor the current folder, in which a `numpy.py` may lie
beside somebody's data. FOLDERS, separated as in PATH, come before what the Python has by itself.
PROGRAM is a module, or a file that ends in `.py`.
"""

import os
import sys


def main(folders: str, program: str) -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is a file too
    named = [folder for folder in folders.split(os.pathsep) if folder]
    sys.path[:] = named + [folder for folder in sys.path if folder not in ("", here)]
    import runpy

    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    named, program = sys.argv[1:3]
    sys.argv[:] = [program, *sys.argv[3:]]
    main(named, program)
