"""Paper 5 on phantoms: what lesions among the training patients cost, and what masking saves.

    python Testing/experiments/contamination.py OUT [--patients 80] [--steps 400] [--test 48]
        [--seed 1000001] [--shares 0 25 50 75 100] [--hidden-share 0.6] [--processes 2]
        [--training-seed 0]

The same patients every time: of 0, 25, 50, 75 and 100 % of them the phantom with lesions, of the
others its healthy twin. Each cohort trains two transformers on PET alone, from the same start: on
all tokens, and with iterative latent token masking. Patients, steps, sizes and VQ-GAN (that of the
shipped `pet-phantom`) are the same for all, and so are the thresholds of healing, so that nothing
else differs. Our training hides a share of the tokens from the network's sight, masking or not;
paper 5 hides nothing but what is masked: `--hidden-share 0`. Every model heals the test phantoms,
of which the first 24 are those of Table 1, and its maps are judged in the model's frame.
`OUT/contamination-<first seed>.md`, `.json` and `.png` show their AUPRC, with paired t-tests over
the test phantoms. With another `--seed` the same models heal other phantoms; with another
`--training-seed` other models heal the same ones, and their files end with it. `masking.py --pet`
puts the trainings together.

What is finished is kept: an interrupted experiment goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.evaluation.comparison import (
    Comparison,
    Measured,
    between,
    compare,
    measure,
)
from PETAnomalyLib.engine.evaluation.metrics import (
    Scores,
    VoxelCounts,
    count_voxels,
    stacked,
    thresholds_of,
)
from PETAnomalyLib.engine.evaluation.table1 import SEEDS, kept_phantoms
from PETAnomalyLib.engine.evaluation.tables import p_value, table, with_interval
from PETAnomalyLib.engine.families import vqgan_performer
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.families.networks import build_healer
from PETAnomalyLib.engine.figures.chart import draw_chart
from PETAnomalyLib.engine.phantom import write_cohort
from PETAnomalyLib.engine.publishing.export import export
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.reporter import Reporter, SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each
from PETAnomalyLib.engine.scoring.scoring import score_tiles
from PETAnomalyLib.engine.study.cohort_layout import find_studies
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.cohort import aligned_studies
from PETAnomalyLib.engine.training.configuration import read_configuration
from PETAnomalyLib.engine.training.run import train

SHARES = (0, 25, 50, 75, 100)  # % of the training patients that have lesions
# -> rounds of masking, as shares of the run. The first comes early: where nothing is hidden, a
# network learns its 80 patients by heart (100 % with lesions, all tokens, validation cross-entropy:
# 1.79 nats after a run of 1,000 steps, 2.99 after one of 4,000).
WAYS = {"plain": (), "masked": (0.1, 0.25, 0.5, 0.75)}
# Networks this young find a third of all tokens under the 0.01 that finished ones are marked with.
MASKING_THRESHOLD = 0.001
MAPS = ("kde", "residual")
FAMILY = Path(vqgan_performer.__file__).parent
CONFIGURATIONS, BUNDLES = FAMILY / "configs", FAMILY / "bundles"
CONFIGURATION = CONFIGURATIONS / "pet-transformer.json"
SHIPPED = "pet-phantom"
SAMPLES, DECODES = 8, 1
VARIANTS = 1  # of each study: augmented ones take longest to encode, and would be the same for all
LARGEST_AUPRC = 0.5  # of the figure's axis

COUNTS = tuple(field.name for field in fields(VoxelCounts))

CountsOfMaps = Mapping[str, VoxelCounts]  # by map: `stacked`, of all test phantoms


def patients_with_lesions(out: Path, count: int, reporter: Reporter, processes: int) -> list[str]:
    """Phantoms with lesions and their healthy twins, `OUT/{lesions,healthy}/<patient>`."""
    names: list[str] = []
    seed = 1
    reporter.stage("phantom", f"Making {count} phantoms with lesions and their healthy twins")
    while len(names) < count:  # one in six has no lesion
        seeds = range(seed, seed + count - len(names))
        seed = seeds.stop
        for_each(_make, [(out / "lesions", n, False) for n in seeds], processes, reporter, (0, 0.5))
        names += [f"phantom-{n}" for n in seeds if _has_lesions(out / "lesions" / f"phantom-{n}")]
    jobs = [(out / "healthy", int(name.removeprefix("phantom-")), True) for name in names]
    for_each(_make, jobs, processes, reporter, (0.5, 1.0))
    return names


def _make(folder: Path, seed: int, healthy: bool) -> None:
    if not (folder / f"phantom-{seed}" / "0").exists():
        write_cohort(folder, 1, seed, healthy=healthy)


def _has_lesions(patient: Path) -> bool:
    return bool(json.loads((patient / "0" / "description.json").read_text("utf-8"))["lesions"])


def cohort_with(out: Path, names: list[str], share: int) -> Path:
    """A cohort of links: the first `share` % of the shuffled patients as they are with lesions."""
    cohort = out / f"cohort-{share}"
    shutil.rmtree(cohort, ignore_errors=True)
    for number, name in enumerate(np.random.default_rng(0).permutation(names)):
        kind = "lesions" if number < share / 100 * len(names) else "healthy"
        patient = cohort / f"{name}-{kind}"
        patient.mkdir(parents=True)
        (patient / "0").symlink_to((out / kind / name / "0").resolve())
    return cohort


def shipped_vqgan(runs: Path) -> None:
    """The run `pet-vqgan` as if it had been trained here, from the shipped bundle."""
    bundle = find_bundle(SHIPPED)
    run = runs / "pet-vqgan"
    run.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(bundle.weights["pet_vqgan"], run / "weights.safetensors")
    shutil.copyfile(CONFIGURATIONS / "pet-vqgan.json", run / "config.json")
    shutil.copyfile(bundle.template, runs / "template.nii.gz")


def ending(training_seed: int) -> str:
    """Of the names of what belongs to a seed of the training."""
    return f"-seed{training_seed}" if training_seed else ""


def train_bundle(
    out: Path, cohort: Path, share: int, way: str, steps: int, hidden_share: float, seed: int = 0
) -> None:
    """One cell of the table: a transformer trained, and exported with the shipped thresholds."""
    name = f"{share}-{way}{ending(seed)}"
    if (out / "models" / name).exists():
        return
    run = out / "runs" / name
    settings = read_configuration(CONFIGURATION)
    settings["transformer"] |= {
        "steps": steps, "masking_rounds": WAYS[way], "variants": VARIANTS,
        "masking_threshold": MASKING_THRESHOLD, "hidden_share": hidden_share, "seed": seed,
    }  # fmt: skip
    config = out / "runs" / f"{name}.json"
    config.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    resume = (run / "checkpoint.pt").exists()
    train("transformer", cohort, config, run, None, resume, SilentReporter())
    bundle = read_configuration(BUNDLES / f"{SHIPPED}.json")
    bundle["networks"]["transformer"] = name
    bundle["metadata"]["name"] = name
    bundle["title"] = f"{share} % of the training patients with lesions, {way}"
    bundle["thresholds"] = find_bundle(SHIPPED).thresholds
    bundle["card"] = str(BUNDLES / bundle["card"])
    texts = run / "bundle.json"
    texts.write_text(json.dumps(bundle, indent=2), encoding="utf-8")
    export(texts, out / "runs", out / "models" / name)


def heal_and_count(out: Path, name: str, seeds: range) -> CountsOfMaps:
    """Heal the test phantoms with a model and count the voxels of its maps; kept for another time.

    Args:
        out: the experiment's folder.
        name: of the model.
        seeds: of the phantoms.
    """
    kept = out / "counts" / f"{name}-{seeds[0]}-{len(seeds)}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            return {
                kind: VoxelCounts(*(arrays[f"{kind} {part}"] for part in COUNTS)) for kind in MAPS
            }
    studies = _test_studies(out, seeds, SilentReporter())
    maps = _maps(find_bundle(str(out / "models" / name)), studies)
    truth = [study.lesions > 0 for study in studies if study.lesions is not None]
    counts = {}
    for kind, scores in maps.items():
        thresholds = thresholds_of(np.concatenate([x[y] for x, y in zip(scores, truth)]))
        counts[kind] = stacked(
            [count_voxels(x.ravel(), y.ravel(), thresholds) for x, y in zip(scores, truth)]
        )
    kept.parent.mkdir(exist_ok=True)
    arrays = {f"{k} {part}": getattr(c, part) for k, c in counts.items() for part in COUNTS}
    partial = kept.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(kept)
    return counts


def _maps(bundle: Bundle, studies: list[AlignedStudy]) -> dict[str, list[Scores]]:
    """The maps of every study, each D x H x W in the model's frame."""
    healer = build_healer(bundle, torch.device("cpu"))
    request = HealingRequest(SAMPLES, DECODES, 0, bundle.thresholds["resampling"], SAMPLES)
    maps: dict[str, list[Scores]] = {kind: [] for kind in MAPS}
    for study in studies:
        image = study.image.astype(np.float32)
        healing = healer.heal(image, None, request, lambda _: None)
        scored = score_tiles(
            image,
            healing.decoded.tiles(lambda _: None),
            scorers=MAPS,
            min_bandwidth=bundle.thresholds["min_bandwidth"],
            epsilon_percentile=bundle.thresholds["epsilon_percentile"],
        )
        for kind, values in scored.items():
            maps[kind].append(values)
    return maps


def _test_studies(out: Path, seeds: range, reporter: Reporter) -> list[AlignedStudy]:
    bundle = find_bundle(SHIPPED)
    names = {f"phantom-{seed}" for seed in seeds}
    studies = [study for study in find_studies(out / "test") if study.patient in names]
    return aligned_studies(
        studies, bundle.template, bundle.intensity, out / "runs" / "aligned", reporter
    )


def measured(counts: Mapping[str, CountsOfMaps]) -> dict[str, Measured]:
    """AUPRC and Dice of every model's maps, by `<share>-<way> <map>`."""
    return {
        f"{model} {kind}": measure(of_map)
        for model, of_model in counts.items()
        for kind, of_map in of_model.items()
    }


def masked_against_plain(
    ways: Mapping[str, Measured], shares: Sequence[int]
) -> dict[str, list[Comparison]]:
    """For each map, masked minus plain in AUPRC at each of the shares."""
    comparisons = compare(ways)
    return {
        kind: [
            between(comparisons, f"{share}-masked {kind}", f"{share}-plain {kind}", "auprc")
            for share in shares
        ]
        for kind in MAPS
    }


def as_markdown(
    ways: Mapping[str, Measured],
    differences: Mapping[str, list[Comparison]],
    shares: Sequence[int],
) -> str:
    """One line for each map and share."""
    lines = []
    for kind in MAPS:
        for share, difference in zip(shares, differences[kind]):
            estimates = [ways[f"{share}-{way} {kind}"].estimates["auprc"] for way in WAYS]
            lines.append([
                kind, f"{share} %", *map(with_interval, estimates),
                f"{difference.mean_difference:+.3f}", p_value(difference.p),
            ])  # fmt: skip
    columns = ["map", "training patients with lesions", "AUPRC, all tokens", "AUPRC, masking",
               "mean difference in a study", "p"]  # fmt: skip
    return table(columns, lines)


def write_results(ways: Mapping[str, Measured], out: Path, shares: Sequence[int]) -> str:
    """Write table, numbers and figure, `out` with three endings; returns the table."""
    differences = masked_against_plain(ways, shares)
    text = as_markdown(ways, differences, shares)
    out.with_suffix(".md").write_text(text, encoding="utf-8")
    result = {
        "auprc": {name: asdict(way.estimates["auprc"]) for name, way in ways.items()},
        "masked_against_plain": {
            kind: [asdict(one) for one in of_map] for kind, of_map in differences.items()
        },
    }
    out.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    curves = {
        f"{kind}, {'masking' if way == 'masked' else 'all tokens'}": [
            (float(share), ways[f"{share}-{way} {kind}"].estimates["auprc"].value)
            for share in shares
        ]
        for kind in MAPS
        for way in WAYS
    }
    axes = ("training patients with lesions (%)", "AUPRC")
    draw_chart(out.with_suffix(".png"), curves, axes, 100.0, LARGEST_AUPRC)
    return text


def main() -> None:
    """Make the cohorts, train what is missing, heal the test phantoms, write what comes out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--patients", type=int, default=80, help="in each training cohort")
    parser.add_argument("--steps", type=int, default=400, help="of each training")
    parser.add_argument("--test", type=int, default=48, help="phantoms to heal with each model")
    parser.add_argument("--seed", type=int, default=SEEDS[0], help="of the first of them")
    parser.add_argument("--shares", type=int, nargs="+", choices=SHARES, default=SHARES,
                        help="%% of the patients that have lesions")  # fmt: skip
    shipped = read_configuration(CONFIGURATION)["transformer"]["hidden_share"]
    parser.add_argument("--hidden-share", type=float, default=shipped,
                        help="of the tokens, 0..1, in training")  # fmt: skip
    parser.add_argument("--training-seed", type=int, default=0,
                        help="of the first weights, and of what is drawn")  # fmt: skip
    parser.add_argument("--processes", type=int, default=2, help="trainings at the same time")
    options = parser.parse_args()
    out, processes, reporter = options.out, options.processes, ConsoleReporter()
    names = patients_with_lesions(out, options.patients, reporter, processes)
    seeds = range(options.seed, options.seed + options.test)
    kept_phantoms(out / "test", reporter, processes, seeds)
    _test_studies(out, seeds, reporter)  # aligned once for all processes
    shipped_vqgan(out / "runs")
    cohorts = {share: cohort_with(out, names, share) for share in options.shares}
    models = [f"{share}-{way}" for share in options.shares for way in WAYS]
    training_seed = options.training_seed
    reporter.stage("train", f"Training {len(models)} transformers")
    # Those at the ends first: what matters most is there, should the experiment be stopped.
    jobs = [
        (out, cohorts[share], share, way, options.steps, options.hidden_share, training_seed)
        for share in sorted(options.shares, key=lambda share: -abs(share - 50))
        for way in WAYS
    ]
    for_each(train_bundle, jobs, processes, reporter, (0.0, 1.0))
    reporter.stage("heal", f"Healing {len(seeds)} phantoms with each")
    jobs_of_healing = [(out, f"{model}{ending(training_seed)}", seeds) for model in models]
    counts = for_each(heal_and_count, jobs_of_healing, processes, reporter, (0.0, 1.0))
    ways = measured(dict(zip(models, counts)))
    file = out / f"contamination-{seeds[0]}{ending(training_seed)}"
    print(write_results(ways, file, options.shares))


if __name__ == "__main__":
    main()
