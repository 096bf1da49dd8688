"""The sample study among those of Slicer's Sample Data module.

Read at every start of Slicer, whether the panel is opened or not, so that it imports nothing of
what makes the study.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SAMPLE_NAME = "PETAnomaly sample"
CATEGORY = "Nuclear Medicine"


def register(iconFile: str, make: Callable[[Any], list]) -> None:
    """Offer the study; called once the application has started.

    Args:
        iconFile: its thumbnail.
        make: called with the source when someone asks for the study; gives its nodes.
    """
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        # Made here, not downloaded: the source wants these fields, nothing reads them.
        uris="",
        fileNames="PETAnomalySample.nii.gz",
        nodeNames=SAMPLE_NAME,
        thumbnailFileName=iconFile,
        customDownloader=make,
    )
