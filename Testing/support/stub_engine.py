"""A stand-in for the engine: a real child process with the engine's command line and events.

It computes nothing: the maps follow the SUV, or the MR. What it made of an image it gives again,
without a second in imports. `PETANOMALY_STUB` in its environment makes it slow (`sleep`), fail
(`error`), crash (`crash`) or find a third of the study unlike what the model knows (`foreign`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

from PETAnomalyLib.panel.environment.interpreter import Interpreter
from repository import MODULE

REAL = MODULE / "PETAnomalyLib"
TESTING = Path(__file__).resolve().parent

MAIN = """
import hashlib, json, os, shutil, sys, time
from pathlib import Path
sys.path.insert(0, {testing!r})

def tell(**event):
    print(json.dumps(event), flush=True)

arguments = sys.argv[1:]
value = dict(zip(arguments, arguments[1:]))
for word in arguments:
    if word.startswith("--threshold="):
        value["--threshold"] = word.split("=")[1]
mode = os.environ.get("PETANOMALY_STUB", "")
tell(event="stage", name="read", label="Reading the study")
print("a line that is no event", flush=True)
if mode == "error":
    tell(event="error", kind="input", message="The stub refuses.", hint="Do not use it.")
    sys.exit(2)
if mode == "crash":
    os.abort()
for step in range(600 if mode == "sleep" else 3):
    tell(event="progress", fraction=step / 600, eta_s=60 - step / 10)
    time.sleep(0.1 if mode == "sleep" else 0.01)
out = Path(value["--out"])
settings = {{"seed": int(value["--seed"]), "scorer": value["--scorer"]}}
names = {{"--threshold": "threshold", "--grow": "grow", "--min-volume": "min_volume_ml"}}
settings.update({{name: float(value[word]) for word, name in names.items() if word in value}})
kind = "--mr" if "--mr" in value else "--pet"
told = json.dumps([settings, mode, kind]).encode()
told = hashlib.sha256(Path(value[kind]).read_bytes() + told)
made = Path({made!r}, told.hexdigest())
if not made.exists():
    import SimpleITK as sitk
    import stub_results
    begun = made.with_name(f"{{made.name}}-{{os.getpid()}}")
    image = sitk.ReadImage(value[kind], sitk.sitkFloat32)
    if kind == "--mr":
        stub_results.writeOfHead(begun, image, settings)
    else:
        stub_results.write(begun, image, settings, mode == "foreign")
    begun.rename(made)
shutil.copytree(made, out)
tell(event="progress", fraction=1.0, eta_s=0)
tell(event="result", dir=str(out))
"""


def stubInterpreter(folder: Path, mode: str = "") -> Interpreter:
    """A Python whose `-m PETAnomalyLib.engine` is the stub; all other files are real."""
    package = folder / "stub" / "PETAnomalyLib"
    (package / "engine").mkdir(parents=True)
    (package / "__init__.py").write_text(f"__path__.append({str(REAL)!r})\n", encoding="utf-8")
    (package / "engine" / "__init__.py").write_text(
        f"__path__.append({str(REAL / 'engine')!r})\n", encoding="utf-8"
    )
    (package / "engine" / "__main__.py").write_text(
        MAIN.format(testing=str(TESTING), made=str(_made())), encoding="utf-8"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "stub"),
        "PYTHONUTF8": "1",
        "PETANOMALY_STUB": mode,
    }
    return Interpreter(sys.executable, environment, foreign=True)


@cache
def _made() -> Path:
    """Where the stubs of this process keep what they made, until it ends."""
    folder = Path(tempfile.mkdtemp(prefix="stub-results-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
