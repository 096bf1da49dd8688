"""Install the PyTorch build that fits this computer: NVIDIA GPU, Apple silicon, or none.

    python setup_torch.py                         into the Python that runs this file
    python setup_torch.py --python PATH           into another one
    python setup_torch.py --dry-run               only say what would be done

A torch that is there already and fits is left alone; no other installed package is replaced. The
build comes from PyTorch's own wheel index. Where that cannot be reached, pip's configured index is
asked instead, and that is said. Standard library only: this runs before anything is installed.

Exit codes: 0 torch is there and fits (or, with --dry-run, the plan is printed), 1 the installation
failed, 2 wrong usage or a Python that cannot be used.
"""

import os
import sys

if __name__ == "__main__" and not sys.flags.isolated:
    # Python imports from this file's folder first; among downloads, a json.py beside it would run.
    # So would one in the current folder, which an empty part of PYTHONPATH means. Before that,
    # nothing is imported that Python has not imported itself, not even from __future__.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    if any(part in ("", ".") for part in os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        current = os.path.realpath(os.curdir)
        sys.path[:] = [part for part in sys.path if os.path.realpath(part) != current]

import argparse
import json
import platform
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WHEEL_INDEX = "https://download.pytorch.org/whl"
OLDEST_PYTHON = (3, 10)
OLDEST_TORCH = (2, 2)
REACH_SECONDS = 8.0


@dataclass(frozen=True)
class Build:
    """One PyTorch build with CUDA and what it runs on.

    Attributes:
        torch: version.
        tag: folder of the wheel index and local version label.
        python: oldest and newest Python minor version (3.x).
        driver: oldest NVIDIA driver, major version.
        capability: lowest and highest GPU compute capability.
    """

    torch: str
    tag: str
    python: tuple[int, int]
    driver: int
    capability: tuple[float, float]


CUDA_BUILDS = (
    Build("2.13.0", "cu130", python=(10, 14), driver=580, capability=(7.5, 12.1)),
    Build("2.13.0", "cu126", python=(10, 14), driver=525, capability=(5.0, 9.0)),
    Build("2.10.0", "cu128", python=(10, 14), driver=570, capability=(7.0, 12.1)),
)
"""In order of preference. Drivers: CUDA release notes, table 3 (minor-version compatibility: any
12.x build runs from driver 525, any 13.x from 580). Capabilities: PyTorch's CUDA support matrix."""

CPU_BUILDS = {"2.13.0": (10, 14)}
INTEL_MAC_BUILDS = {"2.2.2": (10, 12)}
"""Version -> oldest and newest Python minor version."""

# What torch itself needs. These may be raised when torch asks for it; all else stays as it is.
TORCH_NEEDS = {
    "filelock",
    "fsspec",
    "jinja2",
    "markupsafe",
    "mpmath",
    "networkx",
    "setuptools",
    "sympy",
    "typing-extensions",
}


class SetupError(Exception):
    """What went wrong and what to do, in words for people."""

    exit_code = 2


class InstallationError(SetupError):
    """pip did not bring a torch that works."""

    exit_code = 1


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU: its name, the driver's version and the compute capability (0: unknown)."""

    name: str
    driver: str
    capability: float = 0.0

    @property
    def driver_major(self) -> int:
        """The number by which NVIDIA tells what a driver can run."""
        return int(self.driver.split(".")[0])


@dataclass(frozen=True)
class Target:
    """The Python that torch is for, and what it has.

    Attributes:
        executable: path.
        python: (major, minor).
        system, machine: as `platform` names them.
        torch: version installed, "" where there is none.
        torch_error: why the installed torch cannot be imported, "" where it can.
        cuda_works: a sum was computed on the GPU.
        packages: name -> version of everything installed.
    """

    executable: str
    python: tuple[int, int]
    system: str
    machine: str
    torch: str
    torch_error: str
    cuda_works: bool
    packages: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """What to install and why; `version` is "" where nothing has to be done."""

    reason: str
    version: str = ""
    tag: str = ""

    @property
    def size(self) -> str:
        """Roughly what is downloaded."""
        return "2 to 3 GB" if self.tag.startswith("cu") else "100 to 250 MB"


# ---------------------------------------------------------------- what the computer has


def nvidia_smi_paths(environment: "dict[str, str] | None" = None) -> list[Path]:
    """Where `nvidia-smi` may be: on PATH, and where Windows drivers put it."""
    environment = dict(os.environ) if environment is None else environment
    parts = environment.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("nvidia-smi", path=os.pathsep.join(filter(os.path.isabs, parts)))
    # Windows looks into the current folder first, whatever PATH says.
    candidates = [Path(found)] if found and Path(found).is_absolute() else []
    if "SystemRoot" in environment:
        candidates.append(Path(environment["SystemRoot"]) / "System32" / "nvidia-smi.exe")
    if "ProgramFiles" in environment:
        folder = Path(environment["ProgramFiles"]) / "NVIDIA Corporation" / "NVSMI"
        candidates.append(folder / "nvidia-smi.exe")
    candidates.append(Path("/usr/lib/wsl/lib/nvidia-smi"))
    return [path for path in candidates if path.is_file()]


def gpu_from_nvidia_smi(executable: Path) -> "Gpu | None":
    """The first GPU that `nvidia-smi` lists; None where it lists none or does not run."""
    # Old drivers do not know compute_cap and refuse the whole question.
    for fields in ("name,driver_version,compute_cap", "name,driver_version"):
        command = [str(executable), f"--query-gpu={fields}", "--format=csv,noheader"]
        try:
            answer = subprocess.run(
                command, capture_output=True, text=True, timeout=30, check=False, errors="replace"
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if answer.returncode != 0:
            continue
        for line in answer.stdout.splitlines():
            values = [value.strip() for value in line.split(",")]
            if len(values) >= 2 and re.match(r"\d+", values[1]):
                capability = values[2] if len(values) > 2 else ""
                number = float(capability) if re.fullmatch(r"\d+\.\d+", capability) else 0.0
                return Gpu(values[0], values[1], number)
    return None


def gpu_from_proc(folder: Path = Path("/proc/driver/nvidia")) -> "Gpu | None":
    """The GPU by the Linux kernel module's own files, for containers without `nvidia-smi`."""
    try:
        text = (folder / "version").read_text(encoding="utf-8", errors="replace")
        cards = list((folder / "gpus").glob("*/information"))
    except OSError:
        return None
    version = re.search(r"NVRM version:.*?\s(\d+(?:\.\d+)+)\s", text)
    if not version or not cards:
        return None
    model = re.search(r"Model:\s*(.+)", cards[0].read_text(encoding="utf-8", errors="replace"))
    return Gpu(model.group(1).strip() if model else "NVIDIA GPU", version.group(1))


def find_gpu() -> "Gpu | None":
    """The NVIDIA GPU of this computer with its driver, or None."""
    for executable in nvidia_smi_paths():
        gpu = gpu_from_nvidia_smi(executable)
        if gpu:
            return gpu
    return gpu_from_proc()


# With `-c` and `-m` Python imports from the current folder first. From 3.11 on PYTHONSAFEPATH keeps
# it off the path, before that our first line does. Not `-I`: it takes PYTHONHOME away as well, by
# which Slicer's Python finds its own library.
_LEAVE_CURRENT_FOLDER = "import sys; sys.path[:] = [p for p in sys.path if p]"
_PIP = f"""{_LEAVE_CURRENT_FOLDER}
import runpy
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
_QUESTION = (
    _LEAVE_CURRENT_FOLDER
    + """
import json, platform, sys
answer = {"python": sys.version_info[:2], "system": platform.system(),
          "machine": platform.machine(), "torch": "", "torch_error": "", "cuda_works": False}
from importlib import metadata
answer["packages"] = {d.metadata["Name"]: d.version for d in metadata.distributions()
                      if d.metadata["Name"]}
answer["torch"] = answer["packages"].get("torch", "")
if answer["torch"]:
    try:
        import torch
        answer["torch"] = str(torch.__version__)
        if torch.cuda.is_available():
            answer["cuda_works"] = float((torch.ones(2, device="cuda") + 1).sum()) == 4.0
    except Exception as error:
        try:
            torch
        except NameError:
            answer["torch_error"] = f"{type(error).__name__}: {error}"
print("ANSWER" + json.dumps(answer))
"""
)


def _environment() -> dict[str, str]:
    """The variables for another Python, which imports nothing from the current folder."""
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join(part for part in parts if part not in ("", os.curdir))
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def ask_python(executable: str) -> Target:
    """What the Python at `executable` is and has, asked in a process of its own.

    Raises:
        SetupError: when it does not run, or is too old.
    """
    command = [executable, "-X", "utf8", "-c", _QUESTION]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(),
            timeout=300,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"The Python at {executable} does not run: {error}.") from error
    lines = [line for line in run.stdout.splitlines() if line.startswith("ANSWER")]
    if not lines:
        last = (run.stderr.strip().splitlines() or ["no answer"])[-1]
        raise SetupError(f"The Python at {executable} cannot be used: {last}")
    answer = json.loads(lines[-1][len("ANSWER") :])
    answer["python"] = tuple(answer["python"])
    if answer["python"] < OLDEST_PYTHON:
        major, minor = answer["python"]
        raise SetupError(
            f"The Python at {executable} is version {major}.{minor}; PETAnomaly needs "
            f"{OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer."
        )
    return Target(executable=executable, **answer)


# ---------------------------------------------------------------- what fits


def choose(target: Target, gpu: "Gpu | None") -> Plan:
    """Which build fits, or why the one that is there stays.

    Raises:
        SetupError: when no PyTorch exists for this Python and computer.
    """
    build = _cuda_build(target, gpu) if target.system != "Darwin" else None
    if _is_good(target) and (target.cuda_works or build is None):
        on = "computes on the GPU" if target.cuda_works else "fits this computer"
        return Plan(f"torch {target.torch} is installed and {on}: it stays.")
    if _is_good(target) and build is not None and target.torch == f"{build.torch}+{build.tag}":
        return Plan(
            f"torch {target.torch} is installed, the build for this GPU, but cannot use it now: it "
            "stays. Look whether nvidia-smi reports an error."
        )
    if build is not None and gpu is not None:
        why = (
            f"{gpu.name}, driver {gpu.driver}: the build for CUDA {build.tag[2:4]}.{build.tag[4:]}"
        )
        return Plan(f"{why}{_instead_of(target)}.", build.torch, build.tag)
    if target.system == "Darwin" and target.machine == "arm64":
        why = "Apple silicon: the build that can use its graphics (MPS)"
    elif gpu is not None:
        why = (
            f"{gpu.name}, driver {gpu.driver}: no build fits this driver (525 or newer is needed, "
            "580 for the newest cards), so the build without CUDA"
        )
    else:
        why = "No NVIDIA GPU with a working driver was found: the build without CUDA"
    return Plan(f"{why}{_instead_of(target)}.", _cpu_version(target), "cpu")


def _is_good(target: Target) -> bool:
    if not target.torch or target.torch_error:
        return False
    numbers = tuple(int(number) for number in re.findall(r"\d+", target.torch)[:2])
    return numbers >= OLDEST_TORCH


def _instead_of(target: Target) -> str:
    if not target.torch:
        return ""
    if target.torch_error:
        return f", instead of torch {target.torch}, which cannot be imported ({target.torch_error})"
    if not _is_good(target):
        return f", instead of torch {target.torch}, which is too old"
    return f", instead of torch {target.torch}, which does not use this GPU"


def _cuda_build(target: Target, gpu: "Gpu | None") -> "Build | None":
    if gpu is None:
        return None
    for build in CUDA_BUILDS:
        lowest, highest = build.capability
        fits_gpu = gpu.capability == 0.0 or lowest <= gpu.capability <= highest
        fits_python = build.python[0] <= target.python[1] <= build.python[1]
        if fits_gpu and fits_python and gpu.driver_major >= build.driver:
            return build
    return None


def _cpu_version(target: Target) -> str:
    intel_mac = target.system == "Darwin" and target.machine != "arm64"
    builds = INTEL_MAC_BUILDS if intel_mac else CPU_BUILDS
    for version, (oldest, newest) in builds.items():
        if oldest <= target.python[1] <= newest:
            return version
    computer = f"{target.system} {target.machine}"
    raise SetupError(
        f"There is no PyTorch for Python {target.python[0]}.{target.python[1]} on {computer} that "
        "PETAnomaly knows. Use a Python between 3.10 and 3.14 (Intel Macs: up to 3.12)."
    )


# ---------------------------------------------------------------- installing it


def is_reachable(url: str, seconds: float = REACH_SECONDS) -> bool:
    """Whether the wheel index answers at `url`."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=seconds):
            return True
    except OSError:  # urllib.error.URLError is one
        return False


def constraints(packages: dict[str, str]) -> str:
    """pip constraints that keep what is installed: text, a line a package."""
    lines = []
    for name, version in sorted(packages.items()):
        plain = re.sub(r"[-_.]+", "-", name).lower()
        if plain in {"torch", "triton"} or plain.startswith(("nvidia-", "cuda-", "pytorch-triton")):
            continue  # these come and go with torch
        if not re.fullmatch(r"[0-9][0-9A-Za-z.!+_-]*", version):
            continue  # not a version that pip can be held to
        public = version.split("+")[0]
        lines.append(f"{name}>={public}" if plain in TORCH_NEEDS else f"{name}=={version}")
    return "\n".join(lines) + "\n"


def pip_commands(
    target: Target, plan: Plan, constraint_file: str, index: str, index_answers: bool
) -> list[list[str]]:
    """The pip commands to try, in order, until one succeeds."""
    pip = [target.executable, "-m", "pip", "install", "--constraint", constraint_file]
    if target.torch:
        pip.append("--upgrade")
    if target.torch_error:
        pip += ["--force-reinstall"]  # a broken one counts as installed
    # The label keeps pip from taking an installed build of the same version for the wanted one, and
    # a CUDA build of several gigabytes for the plain one. Wheels for macOS carry none.
    plain = f"torch=={plan.version}"
    labelled = plain if target.system == "Darwin" else f"{plain}+{plan.tag}"
    own = [[*pip, "--index-url", f"{index}/{plan.tag}", labelled]] if index_answers else []
    configured = [[*pip, labelled], [*pip, plain]]
    return own + (configured if labelled != plain else configured[1:])


def run_pip(command: list[str]) -> int:
    """Run `PYTHON -m pip ...`, importing nothing from the current folder; returns the exit code."""
    python, _, _, *words = command
    isolated = [python, "-X", "utf8", "-c", _PIP, *words]
    return subprocess.run(isolated, env=_environment(), check=False).returncode


def install(target: Target, plan: Plan, index: str, say: Callable[[str], None]) -> None:
    """Install the planned build.

    Raises:
        InstallationError: when no command succeeded, or torch does not work afterwards.
    """
    index_answers = is_reachable(f"{index}/{plan.tag}/torch/")
    if not index_answers:
        say(f"PyTorch's wheel index ({index}) cannot be reached: asking pip's configured index.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text(constraints(target.packages), encoding="utf-8")
        commands = pip_commands(target, plan, str(file), index, index_answers)
        for number, command in enumerate(commands):
            say("$ " + " ".join(command))
            if run_pip(command) == 0:
                break
            if number + 1 < len(commands):
                say(f"That build could not be installed; trying {_source(commands[number + 1])}.")
        else:
            raise InstallationError(
                "pip could not install torch (its messages are above). Check the network "
                "connection and the free disk space, then run this again."
            )
    after = ask_python(target.executable)
    if not _is_good(after):
        raise InstallationError(
            f"torch was installed but does not work: {after.torch_error or 'not found'}."
        )
    on = "computes on the GPU" if after.cuda_works else "computes on the processor"
    say(f"torch {after.torch} is installed and {on}.")


def _source(command: list[str]) -> str:
    return f"{command[-1]} from pip's configured index"


def main(arguments: "list[str] | None" = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Install the PyTorch build that fits this computer.", allow_abbrev=False
    )
    parser.add_argument("--python", default=sys.executable, help="the Python to install into")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    options = parser.parse_args(arguments)
    try:
        target = ask_python(options.python)
        gpu = find_gpu()
        version = ".".join(str(number) for number in target.python)
        computer = f"{platform.system()} {platform.machine()}"
        print(f"Python {version} at {target.executable} on {computer}", flush=True)
        plan = choose(target, gpu)
        print(plan.reason, flush=True)
        if not plan.version:
            return 0
        if options.dry_run:
            _print_plan(target, plan)
            return 0
        install(target, plan, WHEEL_INDEX, lambda line: print(line, flush=True))
    except SetupError as error:
        print(f"setup_torch: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _print_plan(target: Target, plan: Plan) -> None:
    reachable = is_reachable(f"{WHEEL_INDEX}/{plan.tag}/torch/")
    if not reachable:
        print(f"PyTorch's wheel index ({WHEEL_INDEX}) cannot be reached: pip's configured index")
    print(f"Would install torch {plan.version} ({plan.tag}), a download of {plan.size}:")
    command = pip_commands(target, plan, "CONSTRAINTS", WHEEL_INDEX, reachable)[0]
    print("  " + " ".join(command))


if __name__ == "__main__":
    sys.exit(main())
