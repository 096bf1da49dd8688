"""The families of healers, a folder each: VQ-GAN and Performer, dense autoencoder, and who follows.

A healer turns a study into n >= 1 pseudo-healthy reconstructions. Here stands what they share: the
protocol (`healer.py`), networks from a bundle (`networks.py`), what is done where memory is short
(`fallback.py`). Importing this package enters every family into the registry `bundles/kinds.py`,
without torch: each folder's `kind.py` enters itself. May use: training, bundles, frame, figures,
study, findings, scoring, phantom, runtime. No family imports another.
"""

from importlib import import_module
from pkgutil import iter_modules

for _entry in iter_modules(__path__):
    if _entry.ispkg:
        import_module(f"{__name__}.{_entry.name}.kind")
