"""The findings' numbers as a DICOM Comprehensive SR: Measurement Report, TID 1500 (PS3.16).

A Volumetric ROI group (TID 1411) a finding, which refers to its segment and to the PET slices that
it lies on; a group (TID 1501) with the totals, which refers to all slices.
"""

from __future__ import annotations

from collections.abc import Sequence

from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceImageForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.sr.coding import Code

from PETAnomalyLib.engine.dicom_results import codes
from PETAnomalyLib.engine.dicom_results.common import (
    MANUFACTURER,
    coding_scheme,
    finish,
    identification,
)
from PETAnomalyLib.engine.dicom_results.identifiers import derived_uid
from PETAnomalyLib.engine.dicom_results.reading import Judged, Reading, decimals, rounded
from PETAnomalyLib.engine.findings.measures import total
from PETAnomalyLib.engine.findings.verdict import UNSURE

TOTALS = "Totals"


def measurement_report(reading: Reading, segmentation: Segmentation | None) -> ComprehensiveSR:
    """The object.

    Args:
        reading: what is reported.
        segmentation: made from the same; None where nothing is reported.
    """
    slices = reading.source.slices
    root = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_observer(reading)),
        procedure_reported=_procedure(reading),
        imaging_measurements=[
            *(
                _finding_group(number, one, reading, segmentation)
                for number, one in enumerate(reading.reported, 1)
                if segmentation is not None
            ),
            _totals_group(reading),
        ],
        title=codes.PET_REPORT,
    )
    dataset = ComprehensiveSR(
        evidence=slices if segmentation is None else [*slices, segmentation],
        content=root[0],
        is_complete=True,
        is_final=False,
        is_verified=False,
        coding_schemes=None,
        **identification(reading, "report", 2),
    )
    dataset.CodingSchemeIdentificationSequence = [coding_scheme()]
    finish(dataset, reading.source)
    dataset.SeriesDescription = "PETAnomaly measurements (research)"
    return dataset


def _observer(reading: Reading) -> ObserverContext:
    detector = reading.detector
    return ObserverContext(
        observer_type=CodedConcept.from_code(codes.DEVICE),
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=derived_uid(MANUFACTURER, detector.sha256),
            name=MANUFACTURER,
            manufacturer_name=MANUFACTURER,
            model_name=detector.model,
            serial_number=detector.sha256,
        ),
    )


def _procedure(reading: Reading) -> Code:
    """What is known of it: the code for a PET/CT of the whole body says FDG as well."""
    source = reading.source
    return codes.PET_CT_FDG_WHOLE_BODY if source.is_fdg and source.has_ct else codes.PET_WHOLE_BODY


def _finding_group(
    number: int, one: Judged, reading: Reading, segmentation: Segmentation
) -> VolumetricROIMeasurementsAndQualitativeEvaluations:
    values = decimals(one.finding)
    score_unit = codes.SCORE_UNITS.get(reading.detector.scorer, codes.NO_UNIT)
    measurements = [
        Measurement(codes.SUV_BW, values["suv_max"], codes.G_PER_ML, derivation=codes.MAXIMUM),
        Measurement(codes.SUV_BW, values["suv_mean"], codes.G_PER_ML, derivation=codes.MEAN),
        Measurement(codes.SUV_BW, values["suv_peak"], codes.G_PER_ML, derivation=codes.PEAK),
        Measurement(codes.METABOLIC_VOLUME, values["mtv_ml"], codes.ML),
        Measurement(codes.TOTAL_LESION_GLYCOLYSIS, values["tlg_g"], codes.G),
        Measurement(codes.SCORE, values["score_max"], score_unit, derivation=codes.MAXIMUM),
        Measurement(codes.SCORE, values["score_mean"], score_unit, derivation=codes.MEAN),
    ]
    region, side = codes.coded_site(one.site)
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(reading.tracking_uid(one.name), one.name),
        referenced_segment=ReferencedSegment(
            sop_class_uid=segmentation.SOPClassUID,
            sop_instance_uid=segmentation.SOPInstanceUID,
            segment_number=number,
            source_images=_slices_of(number, reading),
        ),
        finding_type=codes.TYPE,
        finding_category=codes.CATEGORY,
        algorithm_id=_algorithm(reading),
        finding_sites=None if region is None else [FindingSite(region, side)],
        measurements=measurements,
        qualitative_evaluations=[
            QualitativeEvaluation(
                CodedConcept.from_code(codes.VERDICT),
                CodedConcept.from_code(codes.VERDICTS[one.verdict]),
            )
        ],
    )


def _totals_group(reading: Reading) -> MeasurementsAndQualitativeEvaluations:
    """Of what is reported; what is physiological does not count."""
    totals = total([one.finding for one in reading.reported])
    unsure = sum(one.verdict == UNSURE for one in reading.reported)
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(reading.tracking_uid(TOTALS), TOTALS),
        algorithm_id=_algorithm(reading),
        measurements=[
            Measurement(codes.FINDINGS, totals.count, codes.NO_UNIT),
            Measurement(codes.UNSURE_FINDINGS, unsure, codes.NO_UNIT),
            Measurement(
                codes.METABOLIC_VOLUME, rounded(totals.tmtv_ml), codes.ML, derivation=codes.TOTAL
            ),
            Measurement(
                codes.TOTAL_LESION_GLYCOLYSIS,
                rounded(totals.tlg_g),
                codes.G,
                derivation=codes.TOTAL,
            ),
        ],
        source_images=[
            SourceImageForMeasurementGroup(one.SOPClassUID, one.SOPInstanceUID)
            for one in reading.source.slices
        ],
    )


def _slices_of(number: int, reading: Reading) -> Sequence[SourceImageForSegmentation]:
    """The PET slices that a segment has voxels on."""
    on = (reading.segments == number).any(axis=(1, 2))
    return [
        SourceImageForSegmentation(one.SOPClassUID, one.SOPInstanceUID)
        for one, has_voxels in zip(reading.source.slices, on)
        if has_voxels
    ]


def _algorithm(reading: Reading) -> AlgorithmIdentification:
    detector = reading.detector
    return AlgorithmIdentification(
        name=MANUFACTURER,
        version=detector.version,
        parameters=[f"model={detector.model}", f"sha256={detector.sha256}"],
    )
