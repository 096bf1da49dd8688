"""What an interpreter has for the engine, as one line of JSON. Run by path in that interpreter,
never in Slicer's own process.

Asking torch for its devices means importing it: a second or two, hundreds of megabytes, and drivers
that may crash. All that belongs into a child.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys

MARK = "PETANOMALY-PROBE "


def versions(names: list[str]) -> dict[str, str]:
    """The versions of the packages of these names that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def devices() -> list[dict[str, str]]:
    """Where torch can compute, the fastest first; `cpu` always."""
    import torch

    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        gigabytes = properties.total_memory / 2**30
        label = f"{properties.name}, {gigabytes:.0f} GB"
        found.append({"id": f"cuda:{index}", "label": label})
    if torch.backends.mps.is_available():
        found.append({"id": "mps", "label": f"Apple {platform.processor() or 'silicon'} GPU"})
    return [*found, {"id": "cpu", "label": "CPU"}]


def main(names: list[str]) -> None:
    answer = {
        "python": platform.python_version(),
        "packages": versions(names),
        "devices": [{"id": "cpu", "label": "CPU"}],
        "error": "",
    }
    if "torch" in answer["packages"]:
        try:
            answer["devices"] = devices()
        except Exception as error:
            answer["error"] = f"torch can't be imported: {type(error).__name__}: {error}"
    print("\n" + MARK + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
