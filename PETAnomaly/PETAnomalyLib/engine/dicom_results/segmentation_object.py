"""The findings as a DICOM Segmentation (PS3.3, A.51): binary, a segment a finding.

It lies on the PET's own slices: each frame has the position, orientation and spacing of the slice
that it refers to, and their frame of reference.
"""

from __future__ import annotations

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.seg.enum import SegmentAlgorithmTypeValues
from highdicom.sr import CodedConcept

from PETAnomalyLib.engine.dicom_results import codes
from PETAnomalyLib.engine.dicom_results.common import MANUFACTURER, finish, identification
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.findings.segmentation import colour, segment_name
from PETAnomalyLib.engine.findings.verdict import UNSURE


def segmentation_object(reading: Reading) -> Segmentation | None:
    """The object; None where nothing is reported.

    A Segmentation without a segment is none: Segment Sequence (0062,0002) is of type 1, and an
    invented segment would be shown as a finding.
    """
    if not reading.reported:
        return None
    source = reading.source
    dataset = Segmentation(
        source_images=source.slices,
        pixel_array=reading.segments,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(number, one, reading) for number, one in enumerate(reading.reported, 1)
        ],
        content_label="FINDINGS",
        content_description="Findings of an unsupervised anomaly detection; research use only",
        **identification(reading, "segmentation", 1),
    )
    finish(dataset, source)
    dataset.SeriesDescription = "PETAnomaly segmentation (research)"
    organisation = reading.uid("dimensions")
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = organisation
    return dataset


def _description(number: int, one: Judged, reading: Reading) -> SegmentDescription:
    by_hand = one.by_hand
    region, side = codes.coded_site(one.site)
    kind = SegmentAlgorithmTypeValues
    described = SegmentDescription(
        segment_number=number,
        segment_label=segment_name(one.finding),
        segmented_property_category=codes.CATEGORY,
        segmented_property_type=codes.TYPE,
        algorithm_type=kind.SEMIAUTOMATIC if by_hand else kind.AUTOMATIC,
        algorithm_identification=_algorithm(reading.detector),
        tracking_uid=reading.tracking_uid(one.name),
        tracking_id=one.name,
        anatomic_regions=None if region is None else [region],
        display_color=CIELabColor.from_rgb(*colour(one.finding.number)),
    )
    if one.verdict == UNSURE:
        described.SegmentDescription = "Verdict: unsure"
    if region is not None and side is not None:
        item = described.AnatomicRegionSequence[0]
        item.AnatomicRegionModifierSequence = [CodedConcept.from_code(side)]
    return described


def _algorithm(detector: Detector) -> AlgorithmIdentificationSequence:
    return AlgorithmIdentificationSequence(
        name=MANUFACTURER,
        family=codes.ARTIFICIAL_INTELLIGENCE,
        version=detector.version,
        source=MANUFACTURER,
        parameters={"model": detector.model, "sha256": detector.sha256},
    )
