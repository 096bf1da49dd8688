"""The fuzzer on the command line, from the repository's root; `make fuzz` sets the PYTHONPATH.

export PYTHONPATH=Testing:Testing/support
python -m fuzz --seconds 600                  new cases for ten minutes
python -m fuzz --seed 0 --seeds 200           the same cases every time
python -m fuzz --seed 7 --case 3              one case again, as a finding names it
python -m fuzz --engine CHECKOUT              another checkout of this repository
python -m fuzz --engine itk                   ITK with nothing around it
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

from fuzz.campaign import Campaign, keep

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Returns 1 where anything was found."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, help="the first; default: by the clock")
    parser.add_argument("--seeds", type=int, help="how many, however long they take")
    parser.add_argument("--case", type=int, help="of this seed, this one alone")
    parser.add_argument("--engine", default=str(ROOT), metavar="CHECKOUT|itk")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="store the findings' files there")
    options = parser.parse_args()
    first = time.time_ns() // 1000 % 10**9 if options.seed is None else options.seed
    checkout = None if options.engine == "itk" else Path(options.engine).resolve()
    until = time.monotonic() + (math.inf if options.seeds else options.seconds)
    with Campaign(checkout) as campaign:
        for seed in range(first, first + (options.seeds or sys.maxsize)):
            known = set(campaign.findings)
            campaign.run(seed, until, options.case)
            for kind in campaign.findings.keys() - known:
                finding = campaign.findings[kind]
                print(finding, flush=True)
                if options.keep:
                    keep(finding, options.keep)
            if options.case is not None or time.monotonic() > until:
                break
        print(f"{campaign.cases} cases, {campaign.refused} refused, seeds {first} to {seed}")
        for kind, count in sorted(campaign.counts.items()):
            finding = campaign.findings[kind]
            where = f"--seed {finding.seed} --case {finding.number}"
            print(f"  {count:6d}  {kind[0]}: {kind[1]}   {where}")
    return bool(campaign.findings)


if __name__ == "__main__":
    sys.exit(main())
