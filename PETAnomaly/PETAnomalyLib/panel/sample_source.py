"""The sample study among those of Slicer's Sample Data module.

Read at every start of Slicer, whether the panel is opened or not: what makes the study, with
SimpleITK and SciPy, is imported when someone asks for it.
"""

from __future__ import annotations

from typing import Any

SAMPLE_NAME = "PETAnomaly sample"
CATEGORY = "Nuclear Medicine"


def register(iconFile: str) -> None:
    """Offer the study; called once the application has started."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        # Made here, not downloaded: the source wants these fields, nothing reads them.
        uris="",
        fileNames="PETAnomalySample.nii.gz",
        nodeNames=SAMPLE_NAME,
        thumbnailFileName=iconFile,
        customDownloader=_make,
    )


def _make(_source: Any) -> list:
    from .sample_data import makeNow

    return makeNow()
