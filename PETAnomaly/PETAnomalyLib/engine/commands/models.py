"""`petanomaly models`: which pretrained models there are, what each is; verify and add them."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.engine.runtime.reporter import Reporter

if TYPE_CHECKING:
    from PETAnomalyLib.engine.bundles.bundle import Bundle


def add_models(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `models` and its own subcommands."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "models",
        help="list, show, verify and add pretrained models",
        description="Pretrained models: folders laid out like a MONAI bundle.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = actions.add_parser("list", help="the models that are installed", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="as JSON, for programs")
    listing.set_defaults(run=run_list, cancellable=False)

    showing = actions.add_parser("show", help="everything about one model", allow_abbrev=False)
    showing.add_argument("model", metavar="NAME", help="its name, or its folder")
    showing.add_argument("--json", action="store_true", help="as JSON, for programs")
    showing.set_defaults(run=run_show, cancellable=False)

    verifying = actions.add_parser(
        "verify", help="check a model folder against its own list of hashes", allow_abbrev=False
    )
    verifying.add_argument("directory", type=arguments.path, metavar="DIR")
    verifying.set_defaults(run=run_verify, cancellable=False)

    adding = actions.add_parser(
        "add", help="verify a model folder or zip file and install it", allow_abbrev=False
    )
    adding.add_argument("source", type=arguments.path, metavar="DIR|ZIP")
    adding.set_defaults(run=run_add, cancellable=False)
    return parser


def run_list(options: argparse.Namespace, reporter: Reporter) -> None:
    """Print the installed models, the default one marked."""
    from PETAnomalyLib.engine.bundles.installed import (
        DEFAULT_MODEL,
        damaged_bundles,
        installed_bundles,
    )

    bundles = installed_bundles()
    for error in damaged_bundles():
        reporter.log("warning", f"left out: {error.message}")
    if options.json:
        print(_json([_facts(bundle) for bundle in bundles]))
        return
    if not bundles:
        reporter.log("warning", "No model is installed. Add one: petanomaly models add DIR|ZIP")
        return
    width = max(len(bundle.name) for bundle in bundles)
    for bundle in bundles:
        mark = "*" if bundle.name == DEFAULT_MODEL else " "
        scorers = ", ".join(bundle.scorers)
        looks_at = f"{_looks_at(bundle):<10}"
        print(f"{mark} {bundle.name:<{width}}  {looks_at}  {scorers}  {printable(bundle.title)}")


def run_show(options: argparse.Namespace, reporter: Reporter) -> None:  # noqa: ARG001
    """Print what one model is, needs and was trained on."""
    from PETAnomalyLib.engine.bundles.installed import find_bundle

    bundle = find_bundle(options.model)
    facts = _facts(bundle)
    if options.json:
        print(_json({**facts, "metadata": bundle.manifest}))
        return
    for name, value in {**facts, **_card(bundle.manifest)}.items():
        print(f"{name.replace('_', ' ')}: {_in_words(value)}")


def run_verify(options: argparse.Namespace, reporter: Reporter) -> None:
    """Check every file of a model folder."""
    from PETAnomalyLib.engine.bundles.bundle import verify_bundle

    verify_bundle(options.directory)
    reporter.log("info", f"{options.directory}: every file is there and unchanged.")


def run_add(options: argparse.Namespace, reporter: Reporter) -> None:
    """Install a model for this user."""
    from PETAnomalyLib.engine.bundles.adding import add_bundle

    bundle = add_bundle(options.source)
    reporter.log("info", f"Installed {bundle.name} in {bundle.path}")


def _looks_at(bundle: Bundle) -> str:
    if bundle.modality == "MR":
        return f"MR {bundle.contrast}"
    return "PET and CT" if bundle.ct == "required" else "PET alone"


def _facts(bundle: Bundle) -> dict[str, Any]:
    from PETAnomalyLib.engine.bundles.installed import DEFAULT_MODEL

    size = zip(bundle.size_voxels, bundle.spacing_mm)
    return {
        "name": bundle.name,
        "title": bundle.title,
        "version": bundle.manifest.get("version", ""),
        "default": bundle.name == DEFAULT_MODEL,
        "path": str(bundle.path),
        "ct": bundle.ct,
        "scorers": list(bundle.scorers),
        "samples": bundle.samples,
        "decodes": bundle.decodes,
        "min_volume_ml": bundle.min_volume_ml,
        "thresholds": bundle.thresholds["scorers"],
        "spacing_mm": list(bundle.spacing_mm),
        "size_voxels": list(bundle.size_voxels),
        "field_of_view_mm": [voxels * spacing for voxels, spacing in size],
        "sha256": bundle.sha256,
    }


def _card(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to know of MONAI's metadata: plain text and the evaluation figures."""
    wanted = (
        "description",
        "authors",
        "copyright",
        "license",
        "intended_use",
        "data_source",
        "eval_metrics",
        "references",
    )
    return {name: manifest[name] for name in wanted if manifest.get(name)}


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{printable(name)} {_in_words(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_in_words(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else printable(str(value))


def _json(value: Any) -> str:
    """JSON that a terminal can show as well: what no printer would print is written as escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
