"""`petanomaly evaluate`: models measured where the lesions are known."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import COHORT, Subcommands
from PETAnomalyLib.engine.commands.workers import add_workers, check_workers, workers
from PETAnomalyLib.engine.runtime.reporter import Reporter


def add_evaluate(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `evaluate`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "evaluate",
        help="measure models on studies whose lesions are known",
        description="Run `detect` with each model on every study of a cohort and compare maps and "
        f"findings with the true lesions ({COHORT}). With --table1: the rows of the paper's Table "
        "1, on 24 phantoms that it makes under --out, with the models that come with this program; "
        "other studies or models where they are given. With --table-pet: models of any family of "
        "PET side by side, on the same phantoms. With --table2, --table3 or --table4: the "
        "tables of papers 2, 3 and 4, of models of brain MR, on heads that it makes under --out, "
        "or on brain MR with lesions. With --latent: pictures of what a mask does in a network of "
        "the family ano-swinmae, on such heads. With --table5: the table of paper 5's appendix, of "
        "models that it trains on pictures: synthetic textures that it makes under --out, or a "
        "cohort in MVTec AD's layout. What is there already is used again.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--cohort", type=arguments.path, metavar="DIR")
    healthy = "with --table2, --table3 and --table4: heads without lesions"
    add("--healthy", type=arguments.path, metavar="DIR", help=healthy)
    add("--model", action="append", metavar="NAME|DIR", help="may be repeated")
    add("--out", type=arguments.new_path, required=True, metavar="DIR")
    tables = parser.add_mutually_exclusive_group()
    for name, what in (
        ("--table1", "paper 1's Table 1"),
        ("--table-pet", "models of any family of PET, on table 1's phantoms"),
        ("--table2", "paper 2's Table 2, of brain MR: pixels"),
        ("--table3", "paper 3's Tables 5.1 to 5.4, of brain MR: samples, slices and pixels"),
        ("--table4", "paper 4's Tables 1 and 2, of brain MR: objects, and other contrasts"),
        ("--table5", "the Table 2 of paper 5's appendix, of pictures: pixels and regions"),
    ):
        tables.add_argument(name, action="store_true", help=what)
    pictures = "paper 4's pictures of a network: its latent space and layers, masked and not"
    tables.add_argument("--latent", action="store_true", help=pictures)
    add_workers(parser, "studies, about 2 GB each,")
    parser.set_defaults(run=run_evaluate, cancellable=True)
    return parser


def run_evaluate(options: argparse.Namespace, reporter: Reporter) -> None:
    """Measure the models."""
    from PETAnomalyLib.engine.detection_settings import DetectionSettings
    from PETAnomalyLib.engine.runtime.errors import InputError

    check_workers(options)
    if options.table2 or options.table3 or options.table4 or options.latent:
        _of_heads(options, reporter)
        return
    if options.healthy is not None:
        raise InputError(
            "--healthy is for the tables of brain MR",
            "leave it out, or give --table2, 3 or 4, or --latent",
        )
    if options.table5:
        _of_pictures(options, reporter)
        return
    if options.table_pet:
        _of_pet(options, reporter)
        return
    if options.table1:
        from PETAnomalyLib.engine.evaluation.table1 import MODELS, as_markdown, table1

        models = options.model or MODELS
        with workers(options) as chosen:
            result = table1(
                options.cohort, models, options.out, DetectionSettings(), reporter, chosen
            )
        print(as_markdown(result), end="")
        return
    if options.cohort is None or not options.model:
        raise InputError(
            "evaluate needs a cohort and a model",
            "give --cohort and --model, or --table1, 2, 3, 4 or 5, or --latent",
        )
    from PETAnomalyLib.engine.evaluation.cohort_evaluation import evaluate
    from PETAnomalyLib.engine.evaluation.evaluation_figures import write_figures
    from PETAnomalyLib.engine.evaluation.tables import table_of, write_evaluation
    from PETAnomalyLib.engine.phantom.truth import anatomy_of_phantom
    from PETAnomalyLib.engine.study.cohort_layout import find_studies

    studies = find_studies(options.cohort)
    with workers(options) as chosen:
        found = evaluate(
            studies,
            options.model,
            options.out,
            DetectionSettings(),
            reporter,
            chosen,
            anatomy_of_phantom,
        )
    write_evaluation(found, options.out)
    rows = {row.rule.name: row for row in found.rows}
    write_figures(rows, found.rows[0], studies, options.out)
    print(table_of(found), end="")


def _of_pet(options: argparse.Namespace, reporter: Reporter) -> None:
    """Every family on the same PETs."""
    from PETAnomalyLib.engine.detection_settings import DetectionSettings
    from PETAnomalyLib.engine.evaluation.table_pet import table_pet

    models = options.model or ()
    settings = DetectionSettings()
    with workers(options) as chosen:
        print(table_pet(options.cohort, models, options.out, settings, reporter, chosen), end="")


def _of_pictures(options: argparse.Namespace, reporter: Reporter) -> None:
    """Table 5."""
    from PETAnomalyLib.engine.evaluation.pictures.table5 import table5
    from PETAnomalyLib.engine.runtime.errors import InputError

    if options.model:
        raise InputError("--table5 trains its own models", "leave --model out")
    with workers(options) as chosen:
        print(table5(options.cohort, options.out, reporter, chosen), end="")


def _of_heads(options: argparse.Namespace, reporter: Reporter) -> None:
    """Table 2, 3 or 4, or the pictures of a network."""
    make = _way_of(options)
    models = options.model or ()
    with workers(options) as chosen:
        markdown = make(options.cohort, options.healthy, models, options.out, reporter, chosen)
    print(markdown, end="")


def _way_of(options: argparse.Namespace) -> Callable[..., str]:
    if options.latent:
        from PETAnomalyLib.engine.evaluation.slices.latent import latent  # draws with matplotlib

        return latent
    from PETAnomalyLib.engine.evaluation.slices.table2 import table2
    from PETAnomalyLib.engine.evaluation.slices.table3 import table3
    from PETAnomalyLib.engine.evaluation.slices.table4 import table4

    return table2 if options.table2 else table3 if options.table3 else table4
