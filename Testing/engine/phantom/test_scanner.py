"""What scanners do to a painted patient: resolution, overshoot, noise, wrong corrections, CT."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, paint_envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.scanner import sampling
from PETAnomalyLib.engine.phantom.scanner.breathing import Breathing
from PETAnomalyLib.engine.phantom.scanner.correction import apply_correction_errors
from PETAnomalyLib.engine.phantom.scanner.ct import ct_moment, measure_ct
from PETAnomalyLib.engine.phantom.scanner.image_grid import image_grid
from PETAnomalyLib.engine.phantom.scanner.noise import count_noise
from PETAnomalyLib.engine.phantom.scanner.pet import measure_pet
from PETAnomalyLib.engine.phantom.scanner.sampling import SUV_STEPS, blurring, linear, sampled
from PETAnomalyLib.engine.phantom.scanner.scanners import MODELS, Scanner, draw_scanner
from scipy import ndimage

SEED = 3


class Body(NamedTuple):
    """A trunk without organs: the scanner is what is tried."""

    canvas: Canvas
    patient: Patient
    envelope: Envelope
    breathing: Breathing
    scanner: Scanner

    def copy(self) -> Canvas:
        """A canvas to paint on."""
        canvas = object.__new__(Canvas)
        canvas.__dict__.update(self.canvas.__dict__)
        canvas.suv, canvas.hu = self.canvas.suv.copy(), self.canvas.hu.copy()
        canvas.organ = self.canvas.organ.copy()
        return canvas


@pytest.fixture(scope="module")
def body() -> Body:
    patient = draw_patient(SEED)
    canvas = Canvas(patient.pose, (200.0, 170.0), SEED)
    envelope = paint_envelope(canvas, patient)
    scanner = replace(
        draw_scanner(patient), model=MODELS[0], fwhm_mm=6.0, overshoot=0.0, scatter=0.0,
        apart_mm=(0.0, 0.0, 0.0), ct_breath_mm=3.0, breath_mm=8.0, ct_field_mm=500.0,
    )  # fmt: skip
    return Body(canvas, patient, envelope, Breathing(canvas, envelope), scanner)


def axes_of(canvas: Canvas) -> list[np.ndarray]:
    return [axis.astype(np.float64) for axis in canvas.axes]


def test_a_point_is_blurred_to_the_resolution_and_keeps_its_activity() -> None:
    cells = np.arange(-60, 61, 4, dtype=np.float32)
    at = np.arange(-60, 60.5, 1.0)
    weights = blurring(at, cells, 6.0) / sampling.WEIGHT_STEPS
    point = weights[:, len(cells) // 2]
    assert np.ptp(at[point > point.max() / 2]) == pytest.approx(np.hypot(6.0, 3.2), abs=1.1)
    assert point.sum() == pytest.approx(4.0, rel=0.01)  # a cell of 4 mm, voxels of 1 mm


def test_resolution_recovery_overshoots_edges_and_only_it_does() -> None:
    cells = np.arange(-60, 61, 4, dtype=np.float32)
    at, edge = np.arange(-40, 41, 2.0), (cells > 0).astype(float)
    for overshoot, high in ((0.0, 1.0), (1.0, 1.045)):
        seen = blurring(at, cells, 6.0, overshoot, continues=True) @ edge / sampling.WEIGHT_STEPS
        assert seen.max() >= high - 0.01
        assert (seen.max() > 1.02) == (overshoot > 0)
        assert seen[-1] == pytest.approx(1, abs=0.01)


def test_sampling_is_exact_whatever_the_order_of_sums() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(-1000, 3000, (40, 30, 20)).astype(np.float32)
    cells = [np.arange(n, dtype=np.float32) * 4 for n in values.shape]
    weights = [blurring(np.arange(2, 4 * n - 4, 2.6), cells[a], 5, 0.8)
               for a, n in enumerate(values.shape)]  # fmt: skip
    whole = np.rint(np.multiply(values, 16.0, dtype=np.float64))
    for axis, (matrix, unit) in enumerate(zip(weights, (2.0**14, 2.0**14, 1.0))):
        # One column after the other, backwards: another order than a matrix product's.
        lines = np.moveaxis(whole, axis, 0)
        total = np.zeros((len(matrix), *lines.shape[1:]))
        for column in reversed(range(len(lines))):
            total += np.multiply.outer(matrix[:, column], lines[column])
        whole = np.moveaxis(np.rint(total / unit), 0, axis)
    expected = (whole / (2.0**14 * 16)).astype(np.float32)
    assert np.array_equal(sampled(values, weights, 16.0), expected)


def test_linear_weights_hold_a_ramp() -> None:
    cells = np.arange(5, dtype=np.float32) * 10
    found = linear(np.array([-5.0, 0, 3, 27, 60]), cells) @ cells / sampling.WEIGHT_STEPS
    assert found == pytest.approx([0, 0, 3, 27, 40], abs=0.01)


def test_breathing_blurs_the_dome_and_spares_the_back(body: Body) -> None:
    canvas = body.copy()
    canvas.suv[:] = (canvas.z < body.envelope.diaphragm) & (body.envelope.cavity < 1)
    blurred = canvas.suv.copy()
    blurred[body.breathing.slab] = body.breathing.averaged(canvas.suv, 15.0, SUV_STEPS)
    moving = np.abs(blurred - canvas.suv) > 0.05
    assert moving.any()
    assert (body.envelope.cavity[moving] < 1.08).all()
    assert np.median(body.envelope.diaphragm[moving] - canvas.z[moving]) < 25
    assert blurred.sum() < canvas.suv.sum()  # inspiration pulls the dome down


def test_a_deep_breath_at_ct_makes_the_dome_cold(body: Body) -> None:
    canvas = body.copy()
    liver = (canvas.z < body.envelope.diaphragm) & (body.envelope.cavity < 1) & (canvas.z > 250)
    canvas.suv[liver], canvas.hu[liver] = 2.0, 55.0
    absorbs = canvas.hu.copy()
    near = liver & (body.envelope.diaphragm - canvas.z < 18)
    factors = {}
    for breath in (0.0, 30.0):
        ct = canvas.hu.copy()
        ct[body.breathing.slab] = body.breathing.at(canvas.hu, breath, 16.0)
        emission = canvas.suv.copy()
        apply_correction_errors(emission, canvas, body.patient, body.scanner, absorbs, ct)
        factors[breath] = emission[near].mean() / canvas.suv[near].mean()
    assert factors[0.0] == pytest.approx(1, abs=0.01)
    assert 0.4 < factors[30.0] < 0.9


def test_metal_is_overcorrected_beside_and_streaks_in_ct(body: Body) -> None:
    canvas = body.copy()
    at = np.argwhere((np.abs(canvas.z - 100) < 6) & (canvas.organ == Organ.MUSCLE))[200]
    box = tuple(slice(int(n) - 5, int(n) + 6) for n in at)
    canvas.organ[box], canvas.hu[box] = Organ.METAL, 3000
    emission, absorbs = np.ones(canvas.shape, np.float32), canvas.hu.copy()
    apply_correction_errors(emission, canvas, body.patient, body.scanner, absorbs, canvas.hu)
    assert emission[box].mean() > 1.1
    grid = image_grid(canvas, body.patient, body.scanner)
    plain = measure_ct(body.canvas.hu, body.canvas, body.patient, body.scanner, grid)
    metal = measure_ct(canvas.hu, canvas, body.patient, body.scanner, grid)
    beside = np.abs(metal - plain) > 60
    assert 2 * np.prod([11, 11, 11]) * 64 < beside.sum() * np.prod(grid.spacing_mm)


def test_arms_at_the_side_leave_bands_between_them(body: Body) -> None:
    down = replace(body.patient, build=replace(body.patient.build, arms="down"))
    beside = (np.abs(body.canvas.x) > 150) & (np.abs(body.canvas.y) < 40)
    ct = np.where(beside, np.float32(50), body.canvas.hu)
    for patient, wrong in ((body.patient, False), (down, True)):
        emission = np.ones(body.canvas.shape, np.float32)
        apply_correction_errors(emission, body.canvas, patient, body.scanner, ct, ct)
        assert (emission.std() > 0.005) == wrong
        assert 0.8 < emission.mean() < 1.05


def test_hot_urine_has_a_cold_halo(body: Body) -> None:
    canvas = body.copy()
    hot = (np.abs(canvas.x) < 35) & (np.abs(canvas.y) < 30) & (np.abs(canvas.z - 30) < 30)
    canvas.suv[hot] = 60
    halo = (np.abs(canvas.x) > 55) & (np.abs(canvas.x) < 75) & (np.abs(canvas.y) < 20)
    halo &= np.abs(canvas.z - 30) < 20
    emission = canvas.suv.copy()
    scanner = replace(body.scanner, scatter=0.4)
    apply_correction_errors(emission, canvas, body.patient, scanner, canvas.hu, canvas.hu)
    assert emission[halo].sum() < 0.85 * canvas.suv[halo].sum()
    assert emission[hot].mean() > 0.9 * canvas.suv[hot].mean()


def test_what_the_ct_does_not_see_is_cut_and_undercorrected(body: Body) -> None:
    narrow = replace(body.scanner, ct_field_mm=240.0)
    moment = ct_moment(body.canvas, body.patient, body.envelope, body.breathing, narrow)
    distance = np.hypot(body.canvas.axes[1][:, None], body.canvas.axes[2][None, :])
    assert (moment[:, distance > 121] == -1000).all()
    grid = image_grid(body.canvas, body.patient, narrow)
    full = measure_pet(
        body.canvas, body.patient, body.breathing, body.scanner, grid,
        ct_moment(body.canvas, body.patient, body.envelope, body.breathing, body.scanner),
    )  # fmt: skip
    cut = measure_pet(body.canvas, body.patient, body.breathing, narrow, grid, moment)
    y, x = (np.arange(n) * s + f for n, s, f in
            zip(grid.size[1::-1], grid.spacing_mm[1::-1], grid.first_mm[1::-1]))  # fmt: skip
    beyond = np.hypot(y[:, None], x[None, :]) > 135
    level = full.shape[0] // 2
    assert cut[level][beyond].sum() < 0.9 * full[level][beyond].sum()


def test_noise_follows_the_filter_the_bed_and_the_patient(body: Body) -> None:
    emission = np.full(body.canvas.shape, 2.0, np.float32)
    found = {}
    for width in (4.5, 8.0):
        scanner = replace(body.scanner, noise_fwhm_mm=width, blobs=0.1)
        grid = image_grid(body.canvas, body.patient, scanner)
        noise = count_noise(emission, body.canvas, body.patient, scanner, grid)
        middle = noise[noise.shape[0] // 4 : -noise.shape[0] // 4, 20:-20, 20:-20]
        found[width] = float(np.corrcoef(middle[..., 1:].ravel(), middle[..., :-1].ravel())[0, 1])
        assert middle.std() < 0.6
        # Nothing overlaps the end of the last bed.
        assert noise[:3].std() > 1.25 * noise[14:17].std()
    assert found[4.5] + 0.15 < found[8.0]


def test_noise_has_the_level_that_was_drawn(body: Body) -> None:
    emission = np.full(body.canvas.shape, body.patient.suv(Organ.LIVER), np.float32)
    spreads = {}
    for blobs in (0.0, 0.3):
        scanner = replace(body.scanner, blobs=blobs)
        grid = image_grid(body.canvas, body.patient, scanner)
        noise = count_noise(emission, body.canvas, body.patient, scanner, grid)
        k, j, i = (n // 2 for n in noise.shape)
        part = noise[k - 25 : k + 25, j - 12 : j + 12, i - 12 : i + 12]
        spreads[blobs] = part.std() / body.patient.suv(Organ.LIVER) / scanner.liver_cov
        assert 0.5 < spreads[blobs] < 2.1
    assert spreads[0.0] == pytest.approx(spreads[0.3], rel=0.12)  # blobs are texture, not level


def test_a_low_dose_ct_is_noisier_and_streaks_where_rays_are_starved(body: Body) -> None:
    spreads = {}
    for low_dose, noise in ((False, 6.0), (True, 20.0)):
        scanner = replace(body.scanner, low_dose=low_dose, ct_noise_hu=noise)
        grid = image_grid(body.canvas, body.patient, scanner)
        ct = measure_ct(body.canvas.hu, body.canvas, body.patient, scanner, grid)
        fat = grid.nearest((body.canvas.organ == Organ.VISCERAL_FAT).astype(np.uint8)) > 0
        spreads[low_dose] = ct[ndimage.binary_erosion(fat, iterations=2)].std()
    assert spreads[True] > 1.8 * spreads[False]


def test_the_ct_is_apart_from_the_pet_by_what_the_patient_moved(body: Body) -> None:
    rows = []
    for x in (0.0, 8.14):
        scanner = replace(body.scanner, apart_mm=(x, 0.0, 0.0), ct_noise_hu=0.0)
        grid = image_grid(body.canvas, body.patient, scanner)
        ct = measure_ct(body.canvas.hu, body.canvas, body.patient, scanner, grid)
        rows.append(ct[ct.shape[0] // 2])
    moved = np.roll(rows[0], 2, 1)  # two voxels of 4.07 mm
    body_row = slice(grid.size[1] // 2 - 10, grid.size[1] // 2 + 5)
    assert np.abs(rows[1] - moved)[body_row].mean() < 12
    assert np.abs(rows[1] - rows[0])[body_row].mean() > 20
