"""The process in which cases are read: a line of JSON in, a line of JSON out.

In: `path`, `way`, `values` (where the voxels are to be stored), `grid` (affine, size; for lesions).
Out: `end` (`read`, `refused` or `raised`), what belongs to it, `cpu_s` and `memory_mb`, the
processor's time and the largest memory over what there was before.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from fuzz.case import Array
from fuzz.reading import Reader, reader_of
from fuzz.volumes import oblong


def main() -> None:
    """Answer until the end of standard input; the argument is the checkout, empty for ITK."""
    checkout = sys.argv[1]
    reader = reader_of(Path(checkout) if checkout else None)
    for line in sys.stdin:
        answer = _answer(reader, json.loads(line))
        print(json.dumps(answer), flush=True)


def _answer(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    before, started = _forget_peak(), time.process_time()
    answer = _read(reader, request)
    answer["cpu_s"] = time.process_time() - started
    answer["memory_mb"] = (_status("VmHWM") - before) / 1024
    return answer


def _read(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    try:
        image, warnings = reader.ways[request["way"]](Path(request["path"]), _grid(request["grid"]))
    except reader.refusal as error:
        return {"end": "refused", "message": str(error)}
    except Exception as error:
        trace = traceback.format_exc()
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "PETAnomalyLib" in frame.filename] or frames
        where = f"{type(error).__name__} in {Path(ours[-1].filename).name}, {ours[-1].name}"
        return {"end": "raised", "where": where, "trace": trace}
    np.save(request["values"], sitk.GetArrayViewFromImage(image).astype(np.float64))
    return {
        "end": "read",
        "warnings": [str(warning) for warning in warnings],
        "spacing": image.GetSpacing(),
        "origin": image.GetOrigin(),
        "direction": image.GetDirection(),
    }


def _grid(stated: Any) -> sitk.Image:
    """An empty image on a PET's grid, as the engine would have read it."""
    if stated is None:
        return sitk.Image(1, 1, 1, sitk.sitkFloat32)
    matrix, size = stated
    image = sitk.Image(size, sitk.sitkFloat32)
    affine: Array = np.array(matrix)
    directions, steps, origin = oblong(affine)
    image.SetDirection(np.round(directions, 15).ravel().tolist())
    image.SetSpacing(steps.tolist())
    image.SetOrigin(origin.tolist())
    return image


def _forget_peak() -> int:
    """Begin to measure the largest memory anew (proc(5), clear_refs); kB in use now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(key: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{key}:")[1].split()[0])


if __name__ == "__main__":
    main()
