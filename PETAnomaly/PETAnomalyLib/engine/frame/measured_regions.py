"""Names of what is measured of a study, and where: a manifest is checked by them, no imaging."""

from __future__ import annotations

REGIONS = ("head", "thorax", "abdomen", "pelvis", "limbs")
SIDES = ("", "right", "left")
"""Of a region atlas: none (the midline), or the patient's."""
HIGHEST_CODE = len(REGIONS) * len(SIDES)
"""Of a region atlas's voxels, see `region_atlas.code`."""
WHOLE = "body"
BORDERS = ("shoulders", "diaphragm", "pelvis", "midline", "trunk", "head")
"""The fields of `body_regions.RegionBorders`."""

MEASURES = ("log_likelihood", "unlikely_share", "reconstruction_error")
QUANTILES = 101  # the percentiles 0 to 100
