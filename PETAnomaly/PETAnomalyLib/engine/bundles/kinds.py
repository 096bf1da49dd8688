"""The registry of families of healers: what a bundle may name, and what each is made of. No torch.

It is empty here: each `families/<name>/kind.py` enters its own family, and whoever asks for a kind,
a network or a training stage asks this file. A manifest is data from elsewhere: every size in it is
bounded, and `least_parameters` says how many numbers networks of those sizes hold at least, so that
a few bytes of JSON cannot ask for more memory than the weight files beside them fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

SCORERS = ("kde", "zscore", "residual")
"""Every scorer there is; all but `residual` need two or more reconstructions."""


@dataclass(frozen=True)
class Size:
    """One size of a network: a whole number, or a list of them where `length` is given.

    Attributes:
        low, high: smallest and largest value, both allowed.
        length: smallest and largest number of entries of a list; None for a single number.
        required: whether a manifest must state it (else the network has its own default).
    """

    low: int
    high: int
    length: tuple[int, int] | None = None
    required: bool = True


Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class NetworkKind:
    """One architecture.

    Attributes:
        sizes: its sizes, and their bounds: the fields of the dataclass that it is built from.
        least_parameters: a lower bound of its number of parameters.
        architecture: imports torch, and gives the network's class and that dataclass.
        of_healing: sizes that only healing depends on, and no weight: an export may choose them.
    """

    sizes: Mapping[str, Size]
    least_parameters: Callable[[Sizes], int]
    architecture: Callable[[], tuple[type[Any], type[Any]]]
    of_healing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """A kind of healer.

    Attributes:
        name: as in the manifest's `healer.family`.
        networks: name of the weights and of their sizes in the manifest -> kind of network.
        networks_with_ct: those that only a model with CT has, and then must have.
        whole_study: the network that sees a whole study at once: the frame and the intensities of
            its training run are the bundle's.
        gives_many_reconstructions: whether KDE and Z-score are possible.
        thresholds: those of the manifest that its healer needs, such as `resampling`.
        misfit: what is wrong between the sizes of all networks and the grid (D, H, W), as
            (key below `healer`, sentence), or None.
        healer: imports torch, and gives what makes a `families.healer.Healer` of the networks, by
            their names in the manifest, and a torch device.
        stages: name on the command line of `petanomaly train` -> what imports torch, and makes a
            `training.stage.Stage` of this family.
    """

    name: str
    networks: Mapping[str, NetworkKind]
    whole_study: str
    gives_many_reconstructions: bool
    healer: Callable[[], Callable[[dict[str, Any], Any], Any]]
    misfit: Callable[[Mapping[str, Sizes], tuple[int, ...]], tuple[str, str] | None]
    networks_with_ct: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    stages: Mapping[str, Callable[[Family], Any]] = field(default_factory=dict)

    @property
    def scorers(self) -> tuple[str, ...]:
        """The scorers that this family's reconstructions allow."""
        return SCORERS if self.gives_many_reconstructions else ("residual",)


_families: dict[str, Family] = {}

FAMILIES: Mapping[str, Family] = MappingProxyType(_families)
"""Name -> family, of all that have been entered."""


class _Stages(Mapping[str, Callable[[], Any]]):
    """The stages of all families that have been entered."""

    def __getitem__(self, name: str) -> Callable[[], Any]:
        for family in _families.values():
            if name in family.stages:
                return partial(family.stages[name], family)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for family in _families.values() for name in family.stages)

    def __len__(self) -> int:
        return sum(len(family.stages) for family in _families.values())

    def __contains__(self, name: object) -> bool:
        return any(name in family.stages for family in _families.values())


STAGES: Mapping[str, Callable[[], Any]] = _Stages()
"""Name of a training stage -> what gives it."""


def register(family: Family) -> None:
    """Enter a family.

    Raises:
        ValueError: its name, or that of one of its stages, is another's already; or it names a
            network that it does not have.
    """
    taken = [family.name] if family.name in _families else [s for s in family.stages if s in STAGES]
    if taken:
        raise ValueError(f"two families enter '{taken[0]}'")
    for name in (family.whole_study, *family.networks_with_ct):
        if name not in family.networks:
            raise ValueError(f"the family '{family.name}' has no network '{name}'")
    _families[family.name] = family


def grid_after_halvings(halvings: int, size: tuple[int, ...]) -> tuple[int, ...] | None:
    """A grid each of whose edges was halved so often; None where that does not come out even."""
    stride = 2**halvings
    return None if any(n % stride for n in size) else tuple(n // stride for n in size)
