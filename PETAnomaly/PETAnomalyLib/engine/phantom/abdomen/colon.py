"""Colon from the caecum to the anus, its uptake in segments, and where a stoma ends it."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.abdomen.gut import (
    draw_contents,
    hot_segments,
    paint_gut,
    restless,
)
from PETAnomalyLib.engine.phantom.abdomen.parenchyma import paint_parenchyma
from PETAnomalyLib.engine.phantom.abdomen.stoma import Stoma
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.canvas.lines import Vector, smooth_line
from PETAnomalyLib.engine.phantom.canvas.shapes import tube
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient

SEGMENTS = {0: 0.3, 1: 0.3, 2: 0.22, 3: 0.12, 4: 0.06}  # hot ones of a colon
SEGMENT_SUV = (2.5, 8.5)
METFORMIN = (2.5, 5.0)  # of the colon's uptake without it: Gontier et al. 2008
GAS_SHARE = 0.4  # of the colon's length
STEP_MM, HAUSTRUM_MM = 10.0, 34.0
ANUS_SHARE, ANUS_SUV = 0.2, (2.2, 5.5)
ANAL_CANAL_ML = 8.0
DESCENDING, RECTUM = 10, 14  # knots of the line where a colostomy cuts, and where a stump begins


def paint_colon(
    canvas: Canvas, patient: Patient, envelope: Envelope, stoma: Stoma | None, oral: bool
) -> None:
    """Paint what there is of the colon, by volume."""
    rng = patient.stream("colon")
    line = _course(patient, rng)
    volume = patient.volume_ml(Organ.COLON) - ANAL_CANAL_ML
    number = int(rng.choice(list(SEGMENTS), p=list(SEGMENTS.values())))
    suv = patient.suv(Organ.COLON)
    if patient.conditions.metformin:
        suv *= float(rng.uniform(*METFORMIN))
    painted = False
    for course in _pieces(line, stoma):
        share = min(1.0, _length(course) / _length(line))
        piece = _haustra(rng, course)
        shape = tube(canvas, piece, reach=1.7)
        if shape.empty:
            continue
        hot = hot_segments(rng, shape.count, number if share > 0.5 else 0, *SEGMENT_SUV)
        inside = paint_gut(
            canvas, piece, shape, Organ.COLON, suv, patient.hu(Organ.COLON),
            draw_contents(rng, shape.count, GAS_SHARE, 0, 60, oral), restless(rng, shape.count),
            hot, share * volume, 4.0, envelope.cavity[shape.box] < 1.0,
        )  # fmt: skip
        painted |= bool(inside.any())
        if hot.any() and inside.any():
            patient.variants.append("colon segment")
    if patient.conditions.metformin and painted:
        patient.variants.append("metformin bowel")
    _anal_canal(canvas, patient, rng)


def _pieces(line: Vector, stoma: Stoma | None) -> list[Vector]:
    """What is left of the colon: all, what leads to a colostomy and the stump, or the stump."""
    if stoma is None or not (stoma.colostomy or stoma.no_colon):
        return [line]
    if stoma.no_colon:
        return [line[RECTUM:]]
    return [np.vstack([line[:DESCENDING], [[*stoma.inner, 13.0]]]), line[RECTUM:]]


def _course(patient: Patient, rng: Generator) -> Vector:
    """Knots from caecum to rectum: transverse colon and sigmoid hang as they like."""
    out, deep = 22 * patient.build.visceral, 16 * patient.build.visceral
    sag, loop, aside = rng.uniform(0, 80), rng.uniform(10, 85), rng.normal(0, 24)
    caecum = float(rng.normal(98, 14))
    line = np.array(
        [(-80 - 0.5 * out, -20, caecum, 23), (-94 - out, -8, caecum + 46, 21),
         (-98 - out, 8, 196, 19), (-88 - out, -2, 236, 18),
         (-58, -56 - deep, 232 - 0.4 * sag, 18), (0, -66 - deep, 222 - sag, 17),
         (58, -56 - deep, 244 - 0.5 * sag, 16), (98 + out, 10, 292, 16), (102 + out, 26, 246, 14),
         (102 + out, 18, 180, 13), (94 + 0.7 * out, -4, 124, 13), (70, -18, 92, 13),
         (26 + aside, -14, 84 + loop, 14), (-14 + aside, 2, 80 + 0.6 * loop, 14),
         (4, 40, 84, 14), (0, 42, 50, 16), (0, 36, 14, 17), (0, 32, -20, 11)]
    )  # fmt: skip
    line[:, :3] += rng.normal(0, 5, (len(line), 3)) * [1, 1, 1]
    line[RECTUM:, 0] *= 0.5
    return line


def _haustra(rng: Generator, line: Vector) -> Vector:
    """A line with the bulges of haustra, and stretches that are wide or contracted."""
    knots = smooth_line(line, STEP_MM)
    count = len(knots)
    bulge = 1 + 0.16 * np.sin(np.arange(count) * STEP_MM / HAUSTRUM_MM * 2 * np.pi)
    stretch = np.convolve(rng.normal(0, 1, count + 11), np.ones(11) / 3.3, "same")[:count]
    knots[:, 3] *= bulge * np.clip(1 + 0.16 * stretch, 0.65, 1.45)
    return knots


def _length(line: Vector) -> float:
    return float(np.linalg.norm(np.diff(line[:, :3], axis=0), axis=1).sum())


def _anal_canal(canvas: Canvas, patient: Patient, rng: Generator) -> None:
    """Sphincters, in the pelvic floor; hot when they work or are inflamed."""
    line = [(0, 32, -24, 8), (0, 36, -36, 8.5), (0, 42, -46, 8)]
    suv = patient.suv(Organ.COLON)
    hot = rng.random() < ANUS_SHARE
    value = float(rng.uniform(*ANUS_SUV)) if hot else suv
    inside = paint_parenchyma(
        canvas, tube(canvas, line, reach=1.8), Organ.COLON, value, patient.hu(Organ.COLON),
        ANAL_CANAL_ML, (Organ.VISCERAL_FAT, Organ.MUSCLE, Organ.FAT, Organ.SOFT),
    )  # fmt: skip
    if hot and inside.any():
        patient.variants.append("anal canal")
