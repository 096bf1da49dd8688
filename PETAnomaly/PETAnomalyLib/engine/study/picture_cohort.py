"""Cohorts of pictures of surfaces and objects, in the layout of MVTec AD.

`<category>/train/good/NAME.png`: pictures to train on. `<category>/test/good/NAME.png` and
`<category>/test/<defect>/NAME.png`: pictures to judge by, and
`<category>/ground_truth/<defect>/NAME_mask.png`: which pixels are the defect.

References:
    P. Bergmann et al., MVTec AD, CVPR 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import shown

GOOD = "good"
LAYOUT = (
    "<category>/train/good/NAME.png, <category>/test/<defect>/NAME.png and "
    "<category>/ground_truth/<defect>/NAME_mask.png, as MVTec AD has them"
)
_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Picture:
    """One picture of a cohort.

    Attributes:
        name: `<category>/<train or test>/<defect>/<name>`.
        path: the file.
        defect: what is wrong with it; `good` where nothing is.
        mask: file whose white pixels are the defect; None where nothing is wrong.
    """

    name: str
    path: Path
    defect: str
    mask: Path | None


@dataclass(frozen=True)
class Category:
    """What is on the pictures.

    Attributes:
        name: such as `leather`.
        folder: of it.
        training: by name; not one has a mask.
        test: by defect and name.
    """

    name: str
    folder: Path
    training: tuple[Picture, ...]
    test: tuple[Picture, ...]


def is_picture_cohort(folder: Path) -> bool:
    """Whether a folder is a category in this layout, or holds one."""
    return any(_is_category(place) for place in (folder, *_folders(folder)))


def find_categories(cohort: Path) -> list[Category]:
    """The categories of a folder, by name; or the one that the folder is. No file is opened.

    Raises:
        InputError: there are none, or a picture of a defect has no mask.
    """
    places = [cohort] if _is_category(cohort) else [f for f in _folders(cohort) if _is_category(f)]
    if not places:
        raise InputError(f"no pictures in the cohort {shown(cohort)}", f"the layout is {LAYOUT}")
    return [_category(place) for place in places]


def find_category(cohort: Path) -> Category:
    """The one category that a folder is.

    Raises:
        InputError: it is none, or holds several; and from `find_categories`.
    """
    if not _is_category(cohort):
        inside = [place.name for place in _folders(cohort) if _is_category(place)]
        hint = f"give one of {', '.join(inside)} in it" if inside else f"the layout is {LAYOUT}"
        raise InputError(f"{shown(cohort)} is not the folder of one category of pictures", hint)
    return _category(cohort)


def _is_category(folder: Path) -> bool:
    try:
        return (folder / "train" / GOOD).is_dir()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _folders(place: Path) -> list[Path]:
    """Not those that are hidden."""
    try:
        return sorted(p for p in place.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def _category(folder: Path) -> Category:
    name = folder.name or folder.resolve().name  # of "."
    training = _pictures(folder / "train" / GOOD, f"{name}/train", GOOD, None)
    if not training:
        raise InputError(
            f"{shown(folder / 'train' / GOOD)} holds no pictures", f"the layout is {LAYOUT}"
        )
    test = []
    for defect in _folders(folder / "test"):
        masks = None if defect.name == GOOD else folder / "ground_truth" / defect.name
        test += _pictures(defect, f"{name}/test", defect.name, masks)
    return Category(name, folder, tuple(training), tuple(test))


def _pictures(folder: Path, above: str, defect: str, masks: Path | None) -> list[Picture]:
    """Of a folder, by name.

    Args:
        folder: of the pictures.
        above: what comes before the defect in a picture's name.
        defect: that they show.
        masks: folder of their masks; None where nothing is wrong.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _ENDINGS or path.name.startswith("."):
            continue
        mask = None if masks is None else _mask(path, masks)
        found.append(Picture(f"{above}/{defect}/{path.stem}", path, defect, mask))
    return found


def _mask(path: Path, masks: Path) -> Path:
    for name in (f"{path.stem}_mask.png", path.name):
        if (masks / name).is_file():
            return masks / name
    raise InputError(
        f"{shown(path)} shows a defect, and {shown(masks / f'{path.stem}_mask.png')} is not there",
        f"the layout is {LAYOUT}",
    )
