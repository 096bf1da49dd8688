"""The bench on the command line, from the repository's root with PYTHONPATH=Testing:PETAnomaly.

python -m harness panel                 the panel in a window, on a desktop
python -m harness test                  the module's own PETAnomalyTest, off-screen
python -m harness screenshots FOLDER    the README's pictures, off-screen
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import harness

MODULE = Path(__file__).resolve().parents[2] / "PETAnomaly" / "PETAnomaly.py"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m harness", description=__doc__.split("\n")[0])
    parser.add_argument("--module", type=Path, default=MODULE, help="the scripted module's file")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("panel", help="open the panel in a window")
    commands.add_parser("test", help="run the module's self-test off-screen")
    pictures = commands.add_parser("screenshots", help="make the README's pictures off-screen")
    pictures.add_argument("folder", type=Path)
    options = parser.parse_args()
    onDesktop = options.command == "panel"
    if not onDesktop:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = harness.start(testing=not onDesktop)

    from harness.modules import loadScriptedModule

    module = loadScriptedModule(options.module)
    application.startupCompleted.emit()
    try:
        if onDesktop:
            return openWindow(application, module)
        if options.command == "test":
            return runSelfTest(module.name)
        from harness.screenshots import takeScreenshots

        takeScreenshots(module, options.folder)
        return 0
    finally:
        application.aboutToQuit.emit()  # as at the end of the event loop, which may never have run
        module.unload()


def openWindow(application: object, module: object) -> int:
    from harness.desktop import MainWindow

    representation = module.widgetRepresentation()  # type: ignore[attr-defined]  # a module's
    window = MainWindow(representation)
    window.resize(1500, 1000)
    window.show()
    representation.enter()
    return application.exec()  # type: ignore[attr-defined,no-any-return]  # a QApplication's


def runSelfTest(name: str) -> int:
    """Run it as Slicer's self-tests do: an exception is a failure."""
    import traceback

    import slicer

    try:
        slicer.selfTests[name]()
    except Exception:
        traceback.print_exc()
        print(f"{name}Test failed.", file=sys.stderr)
        return 1
    print(f"{name}Test passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
