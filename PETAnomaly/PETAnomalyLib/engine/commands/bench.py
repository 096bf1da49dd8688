"""`petanomaly bench`: how fast this machine is, beside other ways of doing the same."""

from __future__ import annotations

import argparse

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.reporter import Reporter


def add_bench(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `bench`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "bench",
        help="measure speed and memory on this machine",
        description="Seconds and peak memory of each stage at the paper's and the shipped models' "
        "sizes, with random weights, and the ratio to other ways. Takes half an hour on two "
        "cores; two minutes with --quick. Needs scikit-learn and einops.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--device", type=arguments.device, default="auto", metavar="auto|cpu|cuda[:i]|mps")
    add("--quick", action="store_true", help="two small studies of the shipped size")
    add("--json", type=arguments.new_path, metavar="FILE", help="also write everything measured")
    parser.set_defaults(run=run_bench, cancellable=False)
    return parser


# What the other ways of doing the same are made with: the module, and what pip calls it.
PEERS = {"sklearn": "scikit-learn", "einops": "einops"}


def run_bench(options: argparse.Namespace, reporter: Reporter) -> None:
    """Measure, print the table.

    Raises:
        InputError: the file cannot be written, said before half an hour is spent.
        ModuleNotFoundError: a peer is not installed; likewise.
    """
    import importlib.util
    import json

    from PETAnomalyLib.engine.benchmark.benchmark import as_table, benchmark
    from PETAnomalyLib.engine.runtime.output import require_writable, write_whole

    if options.json:
        require_writable(options.json)
    for module, package in PEERS.items():
        if importlib.util.find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named '{module}'", name=package)
    result = benchmark(options.device, options.quick, reporter)
    if options.json:
        write_whole(options.json, json.dumps(result, indent=2) + "\n")
    print(as_table(result), end="")
