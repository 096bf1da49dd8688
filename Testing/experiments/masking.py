"""What iterative latent token masking is worth on textures whose training pictures have defects.

    python Testing/experiments/masking.py OUT [--shares 0 50 100] [--seeds 1]
        [--categories NAME ...] [--train 60] [--test 40] [--steps 800] [--hidden-share 0]
        [--processes 1] [--pet contamination/contamination-1000001.json ...]

The same surfaces every time: of a share of the training pictures with their defect, of the others
the same surface without. For each category and seed a VQ-VAE, trained on surfaces of which half
have their defect, and for each share two transformers on its tokens, from the same start: on all
tokens, and with masking. Nothing else differs. `picture-vqvae.json` and `picture-transformer.json`
at 64 x 64 pixels, so that two cores train hundreds of them. Every model heals the same test
pictures; each picture with a defect has an AUPRC of its pixels.
`OUT/masking.md`, `.json` and `.png` show the mean over pictures, and the differences with 95 %
intervals of a bootstrap that draws categories with their seeds first, then pictures within.

With `--pet` the files that `contamination.py` wrote, one a seed of the training, give a second
table by the same rule: AUPRC of the KDE of each phantom with lesions.

What is finished is kept: an interrupted experiment goes on where it was, and one that is asked for
more shares or seeds makes what is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
from PETAnomalyLib.engine.evaluation.metrics import count_voxels, thresholds_of
from PETAnomalyLib.engine.evaluation.pictures.judged_pictures import maps_of, read_test_pictures
from PETAnomalyLib.engine.evaluation.pictures.picture_models import token_model
from PETAnomalyLib.engine.evaluation.tables import table
from PETAnomalyLib.engine.families import vqgan_performer
from PETAnomalyLib.engine.figures.chart import draw_chart
from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
from PETAnomalyLib.engine.phantom.texture.picture import GOOD, generate_texture
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.reporter import Reporter, SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each
from PETAnomalyLib.engine.study.picture_cohort import find_category
from PETAnomalyLib.engine.training.configuration import read_configuration
from PETAnomalyLib.engine.training.pictures import training_pictures
from PETAnomalyLib.engine.training.run import train
from PIL import Image

CONFIGURATIONS = Path(vqgan_performer.__file__).parent / "configs"
EDGE, TOKENS, CHANNELS = 64, 8, 3
VQVAE_STEPS = 600
VQVAE_SHARE = 50
# -> rounds of masking, as shares of the run. Not as early as in `contamination.py`: after 10 % of
# 800 steps the network found 94 % of all tokens of nuts under 0.01, and what is marked is not
# learnt: later rounds marked as many, and AUPRC fell from 0.434 to 0.062. After the whole of them
# it finds 6 % of the defects' tokens under 0.01, and 0.3 % of the others.
WAYS = {"plain": (), "masked": (0.5, 0.75)}
TRAINING_SEEDS, TEST_SEED = 1, 1_000_001
RESAMPLES = 2000

Values = npt.NDArray[np.float64]
Cell = tuple[str, int]
"""Category and seed: what shares a VQ-VAE."""


@dataclass(frozen=True)
class Difference:
    """Masked minus plain at one share.

    Attributes:
        share: % of the training pictures with their defect.
        plain, masked: mean AUPRC of a picture.
        difference: of the means; low, high: its 95 % interval.
    """

    share: int
    plain: float
    masked: float
    difference: float
    low: float
    high: float


def make_pictures(out: Path, category: str, train_count: int, test_count: int) -> None:
    """Both pools of training pictures and the test pictures of a category."""
    seed = TRAINING_SEEDS
    pool = out / "pool" / category
    for name in ("with", "without"):
        (pool / name).mkdir(parents=True, exist_ok=True)
    while len(list((pool / "with").glob("*.png"))) < train_count:
        made = generate_texture(category, seed)
        if made.defect != GOOD and not (pool / "with" / f"{seed:04d}.png").exists():
            healthy = generate_texture(category, seed, healthy=True).picture
            Image.fromarray(healthy).save(pool / "without" / f"{seed:04d}.png")
            Image.fromarray(made.picture).save(pool / "with" / f"{seed:04d}.png")
        seed += 1
    if not (out / "test" / category / "test").exists():
        write_texture_cohort(out / "test-partial", test_count, TEST_SEED, categories=(category,))
        shutil.move(out / "test-partial" / category, out / "test" / category)


def cohort_with(out: Path, category: str, share: int, count: int) -> Path:
    """A cohort of links: the first `share` % of the shuffled surfaces as they are with a defect."""
    cohort = out / "cohorts" / f"{category}-{share}"
    shutil.rmtree(cohort, ignore_errors=True)
    names = sorted(path.name for path in (out / "pool" / category / "with").iterdir())[:count]
    (cohort / "train" / "good").mkdir(parents=True)
    for number, name in enumerate(np.random.default_rng(0).permutation(names)):
        kind = "with" if number < share / 100 * count else "without"
        source = out / "pool" / category / kind / str(name)
        (cohort / "train" / "good" / str(name)).symlink_to(source.resolve())
    (cohort / "test").symlink_to((out / "test" / category / "test").resolve())
    truth = out / "test" / category / "ground_truth"
    (cohort / "ground_truth").symlink_to(truth.resolve())
    return cohort


def train_stage(
    runs: Path, name: str, stage: str, file: str, cohort: Path, **changes: object
) -> None:
    """One run, at 64 x 64 pixels, unless it is there."""
    if (runs / name / "weights.safetensors").exists():
        return
    settings = read_configuration(CONFIGURATIONS / file)
    settings["pictures"]["size"] = [EDGE, EDGE]
    settings[stage] |= changes
    if stage == "transformer":
        settings[stage]["sizes"]["grid"] = [TOKENS, TOKENS]
    runs.mkdir(parents=True, exist_ok=True)
    config = runs / f"{name}.json"
    config.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    train(stage, cohort, config, runs / name, None, True, SilentReporter())


def picture_values(
    out: Path,
    category: str,
    seed: int,
    share: int,
    counts: tuple[int, int],
    steps: int,
    hidden: float,
) -> dict[str, list[float]]:
    """AUPRC of each test picture with a defect, by way; trained and healed unless it is there."""
    kept = out / "values" / f"{category}-{seed}-{share}.json"
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    make_pictures(out, category, *counts)
    runs = out / "runs" / f"{category}-{seed}"
    both = cohort_with(out, category, VQVAE_SHARE, counts[0])
    train_stage(runs, "vqvae", "vqgan", "picture-vqvae.json", both,
                steps=VQVAE_STEPS, crop=EDGE, seed=seed)  # fmt: skip
    cohort = cohort_with(out, category, share, counts[0])
    found = find_category(cohort)
    size = (CHANNELS, EDGE, EDGE)
    test = read_test_pictures(found, size)
    held_out = [
        study.image.astype(np.float32)
        for study in training_pictures(found, size, SilentReporter())[1]
    ]
    values = {}
    for way, rounds in WAYS.items():
        name = f"{share}-{way}"
        train_stage(runs, name, "transformer", "picture-transformer.json", cohort,
                    pet_vqgan="vqvae", steps=steps, seed=seed, hidden_share=hidden,
                    masking_rounds=rounds)  # fmt: skip
        maps = maps_of(token_model(runs, name, held_out), test, SilentReporter())
        values[way] = [
            float(count_voxels(x.ravel(), y.ravel(), thresholds_of(x[y])).auprc())
            for x, y in zip(maps, test.truths)
            if y.any()
        ]
    kept.parent.mkdir(exist_ok=True)
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps(values), encoding="utf-8")
    partial.replace(kept)
    return values


def difference_at(share: int, cells: Mapping[Cell, Mapping[str, Sequence[float]]]) -> Difference:
    """Masked minus plain, cells drawn first and then pictures within each."""
    pairs = [(np.array(ways["masked"]), np.array(ways["plain"])) for ways in cells.values()]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        means = []
        for cell in random.integers(len(pairs), size=len(pairs)):
            masked, plain = pairs[cell]
            chosen = random.integers(len(masked), size=len(masked))
            means.append((masked[chosen] - plain[chosen]).mean())
        drawn.append(np.mean(means))
    masked, plain = (float(np.mean([pair[n].mean() for pair in pairs])) for n in (0, 1))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Difference(share, plain, masked, masked - plain, float(low), float(high))


def as_markdown(found: Sequence[Difference], cells: Sequence[Cell]) -> str:
    """One line a share."""
    lines = [
        [f"{one.share} %", f"{one.plain:.3f}", f"{one.masked:.3f}",
         f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})"]
        for one in found
    ]  # fmt: skip
    columns = ["training pictures with a defect", "AUPRC, all tokens", "AUPRC, masking",
               "difference"]  # fmt: skip
    categories = ", ".join(dict.fromkeys(category for category, _ in cells))
    seeds = len({seed for _, seed in cells})
    return f"{table(columns, lines)}\nOf {categories}, with {seeds} seed(s) each.\n"


def write_results(
    out: Path, values: Mapping[int, Mapping[Cell, Mapping[str, Sequence[float]]]]
) -> str:
    """Table, numbers and figure of what is there; returns the table.

    Args:
        out: the experiment's folder.
        values: share -> category and seed -> way -> AUPRC of each picture.
    """
    found = [difference_at(share, values[share]) for share in sorted(values)]
    text = as_markdown(found, list(next(iter(values.values()))))
    (out / "masking.md").write_text(text, encoding="utf-8")
    whole = {
        "differences": [asdict(one) for one in found],
        "pictures": {
            str(share): {f"{category}-{seed}": ways for (category, seed), ways in cells.items()}
            for share, cells in values.items()
        },
    }
    (out / "masking.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    curves = {
        "all tokens": [(float(one.share), one.plain) for one in found],
        "masking": [(float(one.share), one.masked) for one in found],
    }
    axes = ("training pictures with a defect (%)", "mean AUPRC of a picture")
    draw_chart(out / "masking.png", curves, axes, 100.0, 1.0)
    return text


def of_pet(files: Sequence[Path]) -> dict[int, dict[Cell, dict[str, list[float]]]]:
    """AUPRC of each phantom with lesions: share -> training -> way.

    Args:
        files: that `contamination.py` wrote; each is a cell, of a training seed.
    """
    values: dict[int, dict[Cell, dict[str, list[float]]]] = {}
    for number, file in enumerate(files):
        auprc = json.loads(file.read_text(encoding="utf-8"))["auprc"]
        for share in sorted({int(name.split("-")[0]) for name in auprc}):
            values.setdefault(share, {})["PET phantoms", number] = {
                way: [x for x in auprc[f"{share}-{way} kde"]["by_study"] if x is not None]
                for way in WAYS
            }
    return values


def main() -> None:
    """Train what is missing, heal the test pictures, write what comes out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--shares", type=int, nargs="+", default=[0, 50, 100],
                        help="%% of the training pictures with their defect")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--categories", nargs="+", choices=list(TEXTURES), default=list(TEXTURES))
    parser.add_argument("--train", type=int, default=60, help="training pictures")
    parser.add_argument("--test", type=int, default=40, help="test pictures; a fifth are good")
    parser.add_argument("--steps", type=int, default=800, help="of each transformer")
    parser.add_argument("--hidden-share", type=float, default=0.0,
                        help="of the tokens, 0..1, in training; paper 5 hides none")  # fmt: skip
    parser.add_argument("--processes", type=int, default=1, help="categories at the same time")
    parser.add_argument("--pet", type=Path, nargs="+", default=[], metavar="FILE.json",
                        help="of contamination.py")  # fmt: skip
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    run(options, ConsoleReporter())


def run(options: argparse.Namespace, reporter: Reporter) -> None:
    """Every share and seed of every category, those at the ends first."""
    counts = (options.train, options.test)
    values: dict[int, dict[Cell, dict[str, list[float]]]] = {}
    shares = sorted(options.shares, key=lambda share: (-abs(share - 50), -share))
    reporter.stage("masking", "Training, with masking and without")
    for seed in range(options.seeds):
        for share in shares:
            jobs = [
                (options.out, category, seed, share, counts, options.steps, options.hidden_share)
                for category in options.categories
            ]
            found = for_each(picture_values, jobs, options.processes, reporter, (0.0, 1.0))
            values.setdefault(share, {}).update(
                {(category, seed): ways for category, ways in zip(options.categories, found)}
            )
            text = write_results(options.out, values)
    print(text)
    if options.pet:
        (options.out / "pet").mkdir(exist_ok=True)
        print(write_results(options.out / "pet", of_pet(options.pet)))


if __name__ == "__main__":
    main()
