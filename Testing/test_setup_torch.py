"""Which torch is installed where: decided from real probes, executables and indexes."""

from __future__ import annotations

import http.server
import importlib.util
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from repository import ROOT

SCRIPT = ROOT / "setup_torch.py"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="scripts of POSIX stand in")


def load() -> ModuleType:
    specification = importlib.util.spec_from_file_location("setup_torch", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["setup_torch"] = module
    specification.loader.exec_module(module)
    return module


setup_torch = load()

LINUX = setup_torch.Target(
    executable="python",
    python=(3, 12),
    system="Linux",
    machine="x86_64",
    torch="",
    torch_error="",
    cuda_works=False,
    packages={},
)


def executable(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "nvidia-smi"
    file.write_text("#!/bin/sh\n" + script)
    file.chmod(0o755)
    return file


@posix_only
def test_the_gpu_is_what_nvidia_smi_says(tmp_path: Path) -> None:
    smi = executable(
        tmp_path, 'echo "NVIDIA H200, 580.95.05, 9.0"; echo "NVIDIA T4, 580.95.05, 7.5"'
    )
    assert setup_torch.gpu_from_nvidia_smi(smi) == setup_torch.Gpu("NVIDIA H200", "580.95.05", 9.0)


@posix_only
def test_an_old_driver_that_cannot_tell_the_capability_is_asked_again_without(
    tmp_path: Path,
) -> None:
    smi = executable(
        tmp_path,
        'case "$1" in *compute_cap*) echo "Field compute_cap is not valid"; exit 2;; esac\n'
        'echo "Tesla P100, 470.82.01"',
    )
    assert setup_torch.gpu_from_nvidia_smi(smi) == setup_torch.Gpu("Tesla P100", "470.82.01", 0.0)


@posix_only
@pytest.mark.parametrize(
    "script",
    [
        'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the driver"; exit 9',
        'echo "No devices were found"',
        "exit 0",
        "kill -9 $$",
    ],
)
def test_an_nvidia_smi_without_a_driver_or_gpu_finds_none(tmp_path: Path, script: str) -> None:
    assert setup_torch.gpu_from_nvidia_smi(executable(tmp_path, script)) is None


def test_nvidia_smi_is_found_where_windows_drivers_put_it(tmp_path: Path) -> None:
    system = tmp_path / "Windows" / "System32"
    system.mkdir(parents=True)
    (system / "nvidia-smi.exe").write_text("")
    old = tmp_path / "Program Files" / "NVIDIA Corporation" / "NVSMI"
    old.mkdir(parents=True)
    (old / "nvidia-smi.exe").write_text("")
    environment = {
        "PATH": "",
        "SystemRoot": str(tmp_path / "Windows"),
        "ProgramFiles": str(tmp_path / "Program Files"),
    }
    found = setup_torch.nvidia_smi_paths(environment)
    assert found[:2] == [system / "nvidia-smi.exe", old / "nvidia-smi.exe"]


def test_the_kernel_modules_files_tell_the_gpu_in_a_container_without_nvidia_smi(
    tmp_path: Path,
) -> None:
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build\n"
        "GCC version:  gcc version 12.2.0\n"
    )
    card = tmp_path / "gpus" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA RTX A5000\nIRQ:   42\n")
    assert setup_torch.gpu_from_proc(tmp_path) == setup_torch.Gpu("NVIDIA RTX A5000", "570.133.20")
    assert setup_torch.gpu_from_proc(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("gpu", "python", "version", "tag"),
    [
        (("NVIDIA H200", "580.95.05", 9.0), (3, 12), "2.13.0", "cu130"),
        (("NVIDIA H200", "550.54.15", 9.0), (3, 12), "2.13.0", "cu126"),  # driver before CUDA 13
        (("Tesla V100", "580.95.05", 7.0), (3, 12), "2.13.0", "cu126"),  # CUDA 13 dropped Volta
        (("GTX 1080", "535.183.01", 6.1), (3, 10), "2.13.0", "cu126"),
        (("RTX 5090", "570.133.20", 12.0), (3, 12), "2.10.0", "cu128"),  # Blackwell, old driver
        (("RTX 5090", "581.29", 12.0), (3, 12), "2.13.0", "cu130"),
        (("unknown", "535.183.01", 0.0), (3, 10), "2.13.0", "cu126"),
        (("Tesla K80", "470.82.01", 3.7), (3, 12), "2.13.0", "cpu"),
        (("RTX 5090", "550.54.15", 12.0), (3, 12), "2.13.0", "cpu"),
        (None, (3, 12), "2.13.0", "cpu"),
        (None, (3, 14), "2.13.0", "cpu"),
    ],
)
def test_the_build_fits_gpu_driver_and_python(
    gpu: tuple[str, str, float] | None, python: tuple[int, int], version: str, tag: str
) -> None:
    card = None if gpu is None else setup_torch.Gpu(*gpu)
    plan = setup_torch.choose(replace(LINUX, python=python), card)
    assert (plan.version, plan.tag) == (version, tag)


def test_a_mac_gets_the_plain_build_and_an_intel_mac_the_last_there_was() -> None:
    mac = replace(LINUX, system="Darwin", machine="arm64")
    assert setup_torch.choose(mac, None).version == "2.13.0"
    assert setup_torch.choose(replace(mac, machine="x86_64"), None).version == "2.2.2"
    with pytest.raises(setup_torch.SetupError, match=r"3\.13.*Darwin x86_64"):
        setup_torch.choose(replace(mac, machine="x86_64", python=(3, 13)), None)


GPU = setup_torch.Gpu("NVIDIA H200", "580.95.05", 9.0)


@pytest.mark.parametrize(
    ("target", "gpu"),
    [
        (replace(LINUX, torch="2.13.0+cpu"), None),
        (replace(LINUX, torch="2.2.0"), None),
        (replace(LINUX, torch="2.15.0+cu132", cuda_works=True), GPU),
        (replace(LINUX, torch="2.4.1+rocm6.1", cuda_works=True), None),
        (replace(LINUX, torch="2.13.0+cu130", cuda_works=False), GPU),  # the GPU itself is ill
        (replace(LINUX, system="Darwin", machine="arm64", torch="2.6.0"), None),
    ],
)
def test_a_good_torch_stays(target: object, gpu: object) -> None:
    plan = setup_torch.choose(target, gpu)
    assert plan.version == ""
    assert "stays" in plan.reason


@pytest.mark.parametrize(
    ("target", "gpu", "reason"),
    [
        (replace(LINUX, torch="1.13.1"), None, "too old"),
        (replace(LINUX, torch="2.13.0+cpu", torch_error="OSError: libc"), None, "OSError: libc"),
        (replace(LINUX, torch="2.13.0+cpu"), GPU, "does not use this GPU"),
    ],
)
def test_a_torch_that_does_not_fit_is_replaced_and_the_reason_given(
    target: object, gpu: object, reason: str
) -> None:
    plan = setup_torch.choose(target, gpu)
    assert plan.version == "2.13.0"
    assert reason in plan.reason


def test_what_is_installed_is_held_but_for_what_torch_itself_needs() -> None:
    text = setup_torch.constraints(
        {
            "numpy": "2.1.3",
            "SimpleITK": "2.5.0",
            "Typing_Extensions": "4.5.0",
            "torch": "1.13.1",
            "nvidia-cublas-cu12": "12.6.4.1",
            "triton": "2.0.0",
            "numba": "0.60+local.1",
            "odd": "unknown",
        }
    )
    assert text.splitlines() == [
        "SimpleITK==2.5.0",
        "Typing_Extensions>=4.5.0",
        "numba==0.60+local.1",
        "numpy==2.1.3",
    ]


def test_the_own_index_is_asked_first_and_then_pips_for_the_small_build_before_the_plain() -> None:
    plan = setup_torch.choose(LINUX, None)
    with_index = setup_torch.pip_commands(LINUX, plan, "c.txt", "https://wheels", True)
    without = setup_torch.pip_commands(LINUX, plan, "c.txt", "https://wheels", False)
    assert with_index[0][-3:] == ["--index-url", "https://wheels/cpu", "torch==2.13.0+cpu"]
    assert [command[-1] for command in without] == ["torch==2.13.0+cpu", "torch==2.13.0"]
    assert with_index[1:] == without
    assert all("--constraint" in command for command in with_index)
    assert not any("--index-url" in command for command in without)


@pytest.fixture
def index() -> Iterator[str]:
    """A real web server that has /cpu/torch/ and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == "/cpu/torch/" else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # type: ignore[override]  # quiet
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_index_counts_as_reachable_only_when_it_has_the_folder(
    index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert setup_torch.is_reachable(f"{index}/cpu/torch/")
    assert not setup_torch.is_reachable(f"{index}/cu130/torch/")
    assert not setup_torch.is_reachable("http://127.0.0.1:9/cpu/torch/")
    assert not setup_torch.is_reachable("https://no-such-host.invalid/cpu/torch/")


def dry_run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    first = [str(path)] if path else []
    environment = {**os.environ, "PATH": os.pathsep.join([*first, os.environ["PATH"]])}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--dry-run", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module")
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Python environment without torch, in a folder with a space."""
    folder = tmp_path_factory.mktemp("an environment")
    venv.create(folder, with_pip=False)
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


@posix_only
def test_the_dry_run_names_gpu_build_size_and_command_and_installs_nothing(
    tmp_path: Path, empty_python: Path
) -> None:
    executable(tmp_path / "tools", 'echo "NVIDIA H200, 580.95.05, 9.0"')
    run = dry_run("--python", str(empty_python), path=tmp_path / "tools")
    assert run.returncode == 0, run.stderr
    assert "NVIDIA H200, driver 580.95.05: the build for CUDA 13.0" in run.stdout
    assert "Would install torch 2.13.0 (cu130), a download of 2 to 3 GB" in run.stdout
    assert f"{empty_python} -m pip install --constraint" in run.stdout
    assert "torch==2.13.0+cu130" in run.stdout
    libraries = empty_python.parents[1] / "lib"
    assert not list(libraries.glob("python3*/site-packages/torch*"))


@pytest.mark.slow
def test_this_environments_own_torch_is_left_alone() -> None:
    pytest.importorskip("torch")
    if setup_torch.find_gpu() is not None:
        pytest.skip("with a GPU it depends on the build")
    run = dry_run()
    assert run.returncode == 0, run.stderr
    assert "it stays" in run.stdout
    assert "Would install" not in run.stdout


@posix_only
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'this is no Python'", "cannot be used"),
        ("echo 'ANSWER{\"python\": [3, 9]}'", "version 3.9; PETAnomaly needs 3.10"),
    ],
)
def test_a_python_that_cannot_be_used_is_named(tmp_path: Path, script: str, words: str) -> None:
    stand_in = executable(tmp_path, script)
    run = dry_run("--python", str(stand_in))
    assert run.returncode == 2
    assert str(stand_in) in run.stderr
    assert words in run.stderr


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = dry_run("--python", str(tmp_path / "none"))
    assert run.returncode == 2
    assert "does not run" in run.stderr


def test_a_failed_installation_says_so_and_exits_1(empty_python: Path) -> None:
    run = subprocess.run(  # an environment without pip cannot install anything
        [sys.executable, str(SCRIPT), "--python", str(empty_python)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 1
    assert "pip could not install torch" in run.stderr


def test_only_the_standard_library_is_imported() -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
