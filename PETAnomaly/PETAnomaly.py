"""PETAnomaly: unsupervised anomaly detection in whole-body FDG-PET/CT, as a module of 3D Slicer.

What Slicer loads: the module's metadata, a thin widget and the self-test. The behaviour is in
`PETAnomalyLib.panel`; inference runs in a process of its own (`PETAnomalyLib.engine`).
"""

# ruff: noqa: PT009 - Slicer runs its self-tests with unittest

import math
import os
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)


class PETAnomaly(ScriptedLoadableModule):
    """The module's metadata."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("PETAnomaly")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Nuclear Medicine")]
        parent.dependencies = ["Segmentations", "SegmentEditor", "Volumes", "SubjectHierarchy"]
        parent.contributors = ["PETAnomaly contributors"]
        parent.helpText = _(
            "Finds uptake in a whole-body FDG-PET/CT that a pretrained model finds unlikely. The "
            "model heals the study; what healing changes is the anomaly. Choose a PET in SUV, "
            "click Detect, inspect and correct the findings. For research use only."
        )
        parent.acknowledgementText = _(
            "After Patel et al., Cross Attention Transformers for Multi-modal Unsupervised "
            "Whole-Body PET Anomaly Detection."
        )
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self) -> None:
        """Offer the sample study in the Sample Data module."""
        from PETAnomalyLib.panel.jobs import sample_source

        sample_source.register(self.resourcePath("Icons/PETAnomaly.png"), makeSample)


def makeSample(_source: Any) -> list:
    """The sample study's nodes; what makes it, with SimpleITK and SciPy, is imported only now."""
    from PETAnomalyLib.panel.jobs.sample import makeNow

    return makeNow()


class PETAnomalyLogic(ScriptedLoadableModuleLogic):
    """Finds or makes the scene's parameter node."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._parameters: Any = None

    def getParameterNode(self) -> Any:
        """The typed parameter node; one wrapper for a node, since its observers never go."""
        from PETAnomalyLib.panel.parameters import PETAnomalyParameterNode

        node: Any = ScriptedLoadableModuleLogic.getParameterNode(self)
        wrapper: Any = PETAnomalyParameterNode  # its constructor is the decorator's
        if self._parameters is None or self._parameters.parameterNode is not node:
            self._parameters = wrapper(node)
        return self._parameters


class PETAnomalyWidget(ScriptedLoadableModuleWidget):
    """The shell around `PETAnomalyLib.panel.widget.PETAnomalyPanel`."""

    def __init__(self, parent: Any = None) -> None:
        self.panel: Any = None
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self) -> None:
        """Load the .ui and give it its behaviour."""
        ScriptedLoadableModuleWidget.setup(self)
        from PETAnomalyLib.panel.widget import PETAnomalyPanel

        widget = slicer.util.loadUI(self.resourcePath("UI/PETAnomaly.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        self.logic = PETAnomalyLogic()
        self.panel = PETAnomalyPanel(self.ui, self.logic.getParameterNode)

    def enter(self) -> None:
        """The module is shown."""
        if self.panel is not None:
            self.panel.enter()

    def exit(self) -> None:
        """The module is left."""
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self) -> None:
        """The module goes."""
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None

    def onReload(self) -> None:
        """Reload the library too, not only this file."""
        for name in [name for name in sys.modules if name.split(".")[0] == "PETAnomalyLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)


class PETAnomalyTest(ScriptedLoadableModuleTest):
    """The whole way on the sample study, with the real engine; then what can go wrong; then the way
    of the sample brain MR, where a model of brain MR is installed.

    With the model that the environment variable PETANOMALY_TEST_MODEL names, if it does: one that
    somebody has trained passes the same test as those that are shipped. Where that is of brain MR,
    the tests of PET are skipped.
    """

    RUN_SECONDS = 900.0
    MODEL = os.environ.get("PETANOMALY_TEST_MODEL", "")

    def setUp(self) -> None:
        slicer.mrmlScene.Clear(0)
        self.panel = slicer.util.getModuleWidget("PETAnomaly").panel
        self.panel.enter()
        device = self.panel.engine.device
        self.panel.engine.setDevice("cpu")
        self.addCleanup(self.panel.engine.setDevice, device)

    def tearDown(self) -> None:
        self.panel.stop()
        slicer.mrmlScene.Clear(0)

    def runTest(self) -> None:
        """What Slicer's self-test calls: every test of this class, one after the other."""
        names = unittest.defaultTestLoader.getTestCaseNames(type(self))
        passed = 0
        for name in names:
            self.delayDisplay(name)
            result = unittest.TestResult()
            type(self)(name).run(result)
            for _test, trace in [*result.errors, *result.failures]:
                raise AssertionError(f"{name} failed:\n{trace}")
            for _test, reason in result.skipped:
                self.delayDisplay(_("{name} was skipped: {why}").format(name=name, why=reason))
            passed += not result.skipped
        self.delayDisplay(_("{n} tests passed.").format(n=passed))

    def test_AStudyIsDetectedRedrawnSavedAndLoaded(self) -> None:
        """Sample study, Detect, the truth, a reading of it, the threshold, the saved scene."""
        self.loadSample()
        self.assertVolumesAreWatched()
        self.detect()
        parameters = self.panel.parameters
        self.assertResultsAreShown()
        self.assertMapsLieOnTheImage()
        self.assertTableMatchesSegments()
        self.assertLargestLesionIsFound()
        self.readFindings()
        self.addAndReshape()
        self.seeReferences()
        self.writeReading()
        self.lookAround()
        before = self.panel.findings.rows()
        self.confirmNextQuestion()  # a finding was added: may it be drawn anew?
        self.moveThreshold(0.5)
        self.assertLessEqual(len(self.panel.findings.rows()), len(before))
        self.assertTableMatchesSegments()
        rows = self.panel.findings.rows()
        self.saveAndLoad()
        organs = self.panel.findings.reference.organs
        self.panel.update()
        self.waitFor(lambda: not organs.isBusy, 60.0, "the organs of the saved scene")
        self.assertEqual(self.panel.findings.rows(), rows)
        self.assertIsNotNone(self.panel.parameters.pet)
        self.assertMapsLieOnTheImage()
        self.moveThreshold(0.0)
        self.assertGreaterEqual(len(self.panel.findings.rows()), len(rows))
        self.assertIs(parameters.parameterNode, self.panel.parameters.parameterNode)

    def test_ARunIsCancelled(self) -> None:
        """In mid-run, and nothing stays behind."""
        self.loadSample()
        self.panel.detect()
        self.waitFor(lambda: self.panel.ui.progressBar.value > 0, self.RUN_SECONDS, "progress")
        folder = Path(self.panel.task.folder)
        self.panel.cancel()
        self.waitFor(lambda: not self.panel.task.isRunning, 5.0, "the end of the run")
        self.waitFor(lambda: not list(folder.parent.glob(folder.name + "*")), 5.0, "a clean disk")
        self.assertIsNone(self.panel.parameters.kdeMap)
        self.assertTrue(self.panel.ui.detectButton.enabled)

    def test_AHeadIsDetectedReadSavedAndLoaded(self) -> None:
        """Sample brain MR, Detect, the truth, a reading of it, the threshold, the saved scene."""
        self.loadSampleHead()
        self.detect()
        self.assertResultsAreShown()
        self.assertMapsLieOnTheImage()
        self.assertTableMatchesSegments()
        self.assertLargestLesionIsFound()
        self.readHead()
        before = self.panel.findings.rows()
        self.moveThreshold(0.5)
        self.assertNotEqual(self.panel.findings.rows(), before)
        self.assertTableMatchesSegments()
        rows = self.panel.findings.rows()
        self.saveAndLoad()
        self.panel.update()
        self.assertEqual(self.panel.findings.rows(), rows)
        self.assertIsNotNone(self.panel.parameters.mr)
        self.assertMapsLieOnTheImage()

    def test_BadInputIsRefusedInWords(self) -> None:
        """Not SUV, no voxels, no numbers, no patient, a CT for a PET."""
        self.loadSample()
        parameters, ui = self.panel.parameters, self.panel.ui
        pet, ct = parameters.pet, parameters.ct
        becquerel = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, pet, "Bq")
        becquerel.SetVoxelValueUnits(None)
        slicer.util.arrayFromVolume(becquerel)[:] *= 5000.0
        slicer.util.arrayFromVolumeModified(becquerel)
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        nothing, scrap = (
            slicer.util.addVolumeFromArray(np.full((3, 3, 3), value, np.float32), name=name)
            for name, value in (("nothing", np.nan), ("scrap", 1.0))
        )
        slicer.util.arrayFromVolume(scrap)[0, 0, 0] = 5.0
        slicer.util.arrayFromVolumeModified(scrap)
        for chosen, expected in (
            (becquerel, "not in SUV"),
            (empty, "no voxels"),
            (nothing, "NaN"),
            (scrap, "no patient"),
            (ct, "CT"),
        ):
            parameters.pet = chosen
            self.panel.update()
            self.assertIn(expected, ui.petState.text)
            self.assertFalse(ui.detectButton.enabled)
            self.assertIn(ui.petState.text, ui.detectButton.toolTip)
        parameters.pet = pet
        self.panel.update()
        self.assertTrue(ui.detectButton.enabled, ui.detectButton.toolTip)

    # Steps

    def chooseModel(self, modality: str) -> None:
        """One that looks at PET (`PT`) or at `MR`; without one, or where another kind is to be
        tested, the test is skipped.
        """
        available = self.panel.model.available
        named = [model for model in available if model.name == self.MODEL]
        known = [model for model in named or available if model.modality == modality]
        if not known:
            what = "of brain MR" if modality == "MR" else "of PET"
            self.skipTest(f"no model {what} is installed, or another one is to be tested")
        if self.panel.model.model not in known:
            self.panel.parameters.model = known[0].name
        self.panel.update()

    def loadSample(self) -> None:
        """The sample study, chosen."""
        self.chooseModel("PT")
        self.panel.loadSample()
        self.waitFor(lambda: not self.panel.task.isRunning, 300.0, "the sample study")
        self.panel.update()
        scorers = self.panel.model.model.scorers
        if self.panel.parameters.scorer not in scorers:  # a model that gives one reconstruction
            self.panel.parameters.scorer = scorers[0]
            self.panel.update()
        self.assertTrue(self.panel.study.pet.usable, self.panel.ui.petState.text)

    def loadSampleHead(self) -> None:
        """The sample brain MR with the mask of its brain, chosen; skipped where what it is made of
        is missing in the engine's Python.
        """
        self.chooseModel("MR")
        model, parameters = self.panel.model.model, self.panel.parameters
        parameters.scorer = model.scorers[0]
        self.panel.loadSample()
        self.waitFor(lambda: not self.panel.isBusy, 300.0, "the sample brain MR")
        said = self.panel.ui.stageState.text
        if parameters.mr is None and ("nilearn" in said or "Cancelled" in said):
            self.skipTest(said)
        self.panel.update()
        self.assertIn(model.contrast, self.panel.ui.mrState.text)
        self.assertTrue(self.panel.study.mr.usable, self.panel.ui.mrState.text)
        self.assertTrue(self.panel.study.mask.usable, self.panel.ui.maskState.text)

    def saveAndLoad(self) -> None:
        """The scene, closed in between."""
        with tempfile.TemporaryDirectory() as folder:
            # Without a locale (a bare container), Qt 5 finds no file of such a name.
            letter = "\u00e4" if sys.getfilesystemencoding() == "utf-8" else "a"
            path = str(Path(folder) / f"PETAnomaly {letter}.mrb")
            self.assertTrue(slicer.util.saveScene(path))
            slicer.mrmlScene.Clear(0)
            slicer.util.loadScene(path)

    def readHead(self) -> None:
        """A verdict, a comment, report and CSV: what an MR has, and nothing of uptake."""
        panel = self.panel
        first = panel.findings.rows()[0]
        panel.findings.table.selectSegment(first.segment)
        self.pressKey("L")
        panel.findings.inScene.comment([first.segment], "a comment: 1 | 2")
        for button in (panel.ui.dicomButton, panel.ui.addButton):
            self.assertFalse(button.enabled)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("report.html", "report.pdf"):
                self.assertTrue(panel.findings.report.write(Path(folder) / name))
            page = (Path(folder) / "report.html").read_text(encoding="utf-8")
            self.assertTrue(panel.findings.export.writeCsv(Path(folder) / "findings.csv"))
            lines = (Path(folder) / "findings.csv").read_text(encoding="utf-8").splitlines()
        self.assertTrue(lines[0].startswith("number,volume_ml,diameter_mm,"))
        self.assertIn("lesion,a comment: 1 | 2,false", lines[1])
        self.assertIn("a comment: 1 | 2", page)
        for text in (lines[0], page.split("<img")[0], panel.ui.totalsState.text):
            self.assertNotIn("SUV", text.upper())

    def detect(self) -> None:
        """A run by the button with the model's own settings, to its end."""
        parameters = self.panel.parameters
        self.assertEqual(self.panel.whyNot(), [])
        self.panel.ui.detectButton.click()
        self.waitFor(lambda: not self.panel.isBusy, self.RUN_SECONDS, "the run")
        said = f"{self.panel.ui.stageState.text}\n{self.panel.ui.logText.plainText}"
        self.assertIsNotNone(parameters.getValue(f"{parameters.scorer}Map"), said)

    def moveThreshold(self, share: float) -> None:
        """Drag the slider to a share of its range above the lowest value, and let it draw."""
        slider = self.panel.ui.thresholdSlider
        low, high = slider.minimum, slider.maximum
        slider.value = low + (0.05 + 0.95 * share) * (high - low)
        self.settle()
        self.waitFor(lambda: not self.panel.findings.redrawing.isPending, 30.0, "the redraw")

    def settle(self) -> None:
        """Let timers fire that are due at once."""
        for _round in range(5):
            slicer.app.processEvents()
            time.sleep(0.01)

    def waitFor(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Let Slicer run until the condition holds; fail when it does not in time."""
        end = time.monotonic() + seconds
        while not condition():
            log = self.panel.ui.logText.plainText
            self.assertLess(time.monotonic(), end, f"Waited in vain for {what}.\n{log}")
            slicer.app.processEvents()
            time.sleep(0.01)

    def readFindings(self) -> None:
        """Deleting and undo, a verdict on every finding by its key, a comment."""
        panel, ui, table = self.panel, self.panel.ui, self.panel.findings.table
        drawn = panel.findings.rows()
        colours = self.colours()
        table.selectSegment(drawn[0].segment)
        ui.deleteButton.click()
        self.assertTrue(panel.parameters.handEdited)
        ui.undoButton.click()
        self.assertEqual(panel.findings.rows(), drawn)
        self.assertEqual(self.colours(), colours)
        self.assertFalse(panel.parameters.handEdited)
        table.selectSegment(drawn[0].segment)
        for _finding in drawn:  # each key leads on to the next one
            self.pressKey("L")
        self.assertEqual([row.verdict for row in panel.findings.rows()], ["lesion"] * len(drawn))
        self.pressKey("U")
        self.pressKey("N")
        self.assertEqual(len(table.selectedSegments()), 1)
        self.pressKey("L")
        ui.upButton.click()
        ui.downButton.click()
        panel.findings.inScene.comment([drawn[0].segment], "a comment: 1 | 2")

    def pressKey(self, key: str) -> None:
        """What a key in the table does; PythonQt has nothing that would press one."""
        keys = self.panel.findings.keys
        known = {shortcut.key.toString(): shortcut for shortcut in keys._shortcuts["table"]}
        self.assertTrue(known[key].enabled)
        if key == "N":
            keys.onNext()
        else:
            keys.onVerdict({"L": "lesion", "P": "physiological", "U": "unsure"}[key])

    def addAndReshape(self) -> None:
        """A missed finding is added by a click; all are merged, and the one is split; undo."""
        panel, ui, table = self.panel, self.panel.ui, self.panel.findings.table
        before = panel.findings.rows()
        missed, centre = self.findingToMiss()
        table.selectSegment(missed)
        ui.deleteButton.click()
        ui.addButton.click()
        panel.findings.adding.picker.point.AddControlPointWorld(vtk.vtkVector3d(*centre))
        self.waitFor(lambda: not ui.addButton.checked, 10.0, "the click to be heard")
        rows = panel.findings.rows()
        self.assertTrue(rows[-1].byHand)
        self.assertEqual(rows[-1].finding.number, len(before) + 1)
        self.pressKey("P")
        rows = panel.findings.rows()
        self.assertEqual(rows[-1].verdict, "physiological")
        if len(rows) == 1:
            return
        ui.findingsTable.selectAll()
        ui.mergeButton.click()
        (whole,) = panel.findings.rows()
        volume = sum(row.finding.mtv_ml for row in rows)
        self.assertAlmostEqual(whole.finding.mtv_ml, volume, places=2)
        ui.splitButton.click()
        parts = panel.findings.rows()
        self.assertEqual(len(parts), 2)
        self.assertAlmostEqual(sum(row.finding.mtv_ml for row in parts), volume, places=2)
        ui.undoButton.click()
        ui.undoButton.click()
        self.assertEqual(panel.findings.rows(), rows)

    def findingToMiss(self) -> tuple[str, tuple[float, float, float]]:
        """The last finding whose centre leads back to it: segment and (R, A, S) mm."""
        from PETAnomalyLib.engine.runtime.errors import InputError
        from PETAnomalyLib.panel.scene import adding

        parameters = self.panel.parameters
        for row in reversed(self.panel.findings.rows()):
            finding = row.finding
            centre = (finding.centroid_r_mm, finding.centroid_a_mm, finding.centroid_s_mm)
            try:
                spot = adding.spotAt(parameters.pet, np.array(centre), parameters.contour)
            except InputError:
                continue  # too faint to be told from what is around it
            there = adding.segmentAt(parameters.segmentation, parameters.pet, spot.hottest)
            if there == row.segment:
                return row.segment, centre
        raise AssertionError("No finding is a hot spot of its own.")

    def seeReferences(self) -> None:
        """Organs, liver and blood pool give every finding its columns, live."""
        panel, ui, parameters = self.panel, self.panel.ui, self.panel.parameters
        parameters.organs = self.addOrgans()
        panel.update()
        organs = panel.findings.reference.organs
        self.waitFor(lambda: not organs.isBusy, 60.0, "the organs")
        self.assertEqual(organs.problem, "")
        first = panel.findings.rows()[0]
        known = dict(first.further)
        self.assertEqual(known["organ"], "Urinary_Bladder")
        self.assertEqual(known["suggestion"], "physiological")
        self.assertEqual(first.verdict, "lesion")  # the reader's
        if getattr(panel.model.model, "region_atlas", None):
            self.assertTrue(known["site"])
        ui.liverButton.click()
        ui.bloodPoolButton.click()
        parameters.heightCm, parameters.weightKg, parameters.sex = 175.0, 70.0, "M"
        panel.update()
        known = dict(panel.findings.rows()[0].further)
        for name in ("liver_ratio", "blood_pool_ratio", "deauville", "sul_peak"):
            self.assertGreater(float(known[name]), 0.0)
        self.assertIn(known["percist_measurable"], ("true", "false"))
        place, point = [0.0, 0.0, 0.0], parameters.liverPoint
        point.GetNthControlPointPositionWorld(0, place)
        point.SetNthControlPointPositionWorld(0, place[0] + 40.0, place[1], place[2])
        self.waitFor(
            lambda: dict(panel.findings.rows()[0].further)["liver_ratio"] != known["liver_ratio"],
            10.0,
            "the ratio to follow the liver's point",
        )

    def addOrgans(self) -> Any:
        """A segmentation as somebody else would have made it: liver, aorta, and a bladder where
        the first finding lies.
        """
        pet = self.panel.parameters.pet
        rows, segmentation = self.panel.findings.rows(), self.panel.parameters.segmentation
        shape = slicer.util.arrayFromVolume(pet).shape
        k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
        x, y, z = (
            (index - n / 2) * step
            for index, n, step in zip((i, j, k), shape[::-1], pet.GetSpacing())
        )
        masks = {
            "Liver": x**2 + y**2 + z**2 < 35.0**2,
            "Aorta": (x**2 + (y - 80.0) ** 2 < 15.0**2) & (np.abs(z) < 100.0),
            "Urinary_Bladder": self.voxels(segmentation, rows[0].segment),
        }
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Organs")
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
        for name, mask in masks.items():
            node.GetSegmentation().AddEmptySegment(name, name)
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, name, pet)
        node.GetDisplayNode().SetVisibility(False)
        return node

    def writeReading(self) -> None:
        """Report and table, with what was said and measured."""
        panel = self.panel
        count = len(panel.findings.rows())
        with tempfile.TemporaryDirectory() as folder:
            for name in ("report.html", "report.pdf"):
                self.assertTrue(panel.findings.report.write(Path(folder) / name))
                self.assertGreater((Path(folder) / name).stat().st_size, 1000)
            page = (Path(folder) / "report.html").read_text(encoding="utf-8")
            self.assertTrue(panel.findings.export.writeCsv(Path(folder) / "findings.csv"))
            lines = (Path(folder) / "findings.csv").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(lines), 1 + count)
        self.assertIn("lesion,a comment: 1 | 2,false", lines[1])
        self.assertIn("deauville", lines[0])
        self.assertIn("a comment: 1 | 2", page)
        self.assertIn("Blood pool", page)

    def lookAround(self) -> None:
        """Windows of the CT, colour bars, hatching, and the layout for reading, on and off."""
        from PETAnomalyLib.panel.parameters import scoreMap

        ui, parameters = self.panel.ui, self.panel.parameters
        shown = parameters.ct.GetDisplayNode()
        shown.SetWindowLevel(333.0, 22.0)  # the mouse in a view
        ui.lungButton.click()
        self.assertEqual((shown.GetWindow(), shown.GetLevel()), (1500.0, -600.0))
        ui.lungButton.click()
        self.assertEqual((shown.GetWindow(), shown.GetLevel()), (333.0, 22.0))
        bar = slicer.modules.colors.logic().GetColorLegendDisplayNode(
            scoreMap(parameters, parameters.scorer)
        )
        self.assertTrue(bar.GetVisibility())
        ui.coloursCheck.checked = False
        self.panel.update()
        self.assertFalse(bar.GetVisibility())
        ui.coloursCheck.checked = True
        self.panel.update()
        self.assertEqual(ui.hatchingCheck.enabled, parameters.foreign is not None)
        layoutManager = slicer.app.layoutManager()
        before = layoutManager.layout if layoutManager is not None else None
        display = parameters.segmentation.GetDisplayNode()
        ui.show3DButton.click()
        self.waitFor(lambda: bool(display.GetVisibility3D()), 60.0, "the surfaces")
        ui.mipSlider.value = 4.5
        self.panel.update()
        if layoutManager is not None:
            fourUp = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
            self.assertEqual(layoutManager.layout, fourUp)
        ui.show3DButton.click()
        self.assertFalse(bool(display.GetVisibility3D()))
        if layoutManager is not None:
            self.assertEqual(layoutManager.layout, before)

    def colours(self) -> list[tuple]:
        """Of the findings' segments in the views, in the table's order."""
        segmentation = self.panel.parameters.segmentation.GetSegmentation()
        rows = self.panel.findings.rows()
        return [segmentation.GetSegment(row.segment).GetColor() for row in rows]

    def confirmNextQuestion(self) -> None:
        """Slicer in testing mode answers every question by itself, with no."""
        asked = self.panel.findings.redrawing
        before = asked._confirm

        def confirm(_question: str, _title: str) -> bool:
            asked._confirm = before
            return True

        asked._confirm = confirm

    # Checks

    def assertVolumesAreWatched(self) -> None:
        """A transform is noticed, and that it is gone."""
        pet, text = self.panel.parameters.pet, self.panel.ui.petState
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        pet.SetAndObserveTransformNodeID(node.GetID())
        self.waitFor(lambda: "transform" in text.text, 10.0, "the transform to be noticed")
        pet.SetAndObserveTransformNodeID(None)
        self.waitFor(lambda: "transform" not in text.text, 10.0, "its end to be noticed")
        slicer.mrmlScene.RemoveNode(node)
        self.assertFalse(self.panel.ui.showMapButton.enabled)  # there is none yet

    def assertResultsAreShown(self) -> None:
        """What is done is folded away, the first finding is selected, the map is over the CT."""
        ui = self.panel.ui
        self.waitFor(lambda: ui.studySection.collapsed, 10.0, "the sections to fold")
        self.assertTrue(ui.modelSection.collapsed)
        first = self.panel.findings.rows()[0].segment
        self.assertEqual(self.panel.findings.table.selectedSegments(), [first])
        self.assertTrue(ui.showMapButton.enabled)
        self.assertTrue(ui.showMapButton.checked)

    def assertMapsLieOnTheImage(self) -> None:
        parameters, image = self.panel.parameters, self.image()
        wanted = vtk.vtkMatrix4x4()
        image.GetIJKToRASMatrix(wanted)
        for scorer in self.panel.model.model.scorers:
            node, own = parameters.getValue(f"{scorer}Map"), vtk.vtkMatrix4x4()
            node.GetIJKToRASMatrix(own)
            self.assertEqual(
                node.GetImageData().GetDimensions(), image.GetImageData().GetDimensions()
            )
            for index in range(16):
                row, column = divmod(index, 4)
                self.assertAlmostEqual(
                    own.GetElement(row, column), wanted.GetElement(row, column), places=3
                )

    def assertTableMatchesSegments(self) -> None:
        parameters = self.panel.parameters
        rows = self.panel.findings.rows()
        segmentation = parameters.segmentation.GetSegmentation()
        self.assertEqual([row.segment for row in rows], list(segmentation.GetSegmentIDs()))
        voxel = math.prod(self.image().GetSpacing()) / 1000.0
        score = parameters.getValue(f"{parameters.scorer}Map")
        for row in rows[:3]:
            finding, inside = row.finding, self.voxels(parameters.segmentation, row.segment)
            if hasattr(finding, "suv_max"):
                volume, highest, image = finding.mtv_ml, finding.suv_max, parameters.pet
            else:
                volume, highest, image = finding.volume_ml, finding.score_max, score
            self.assertAlmostEqual(volume, inside.sum() * voxel, places=3)
            values = slicer.util.arrayFromVolume(image)[inside]
            self.assertAlmostEqual(highest, float(values.max()), places=3)

    def assertLargestLesionIsFound(self) -> None:
        from scipy import ndimage

        parameters = self.panel.parameters
        sample = "PETAnomaly sample head" if parameters.modality == "MR" else "PETAnomaly sample"
        truth = slicer.util.getFirstNodeByClassByName(
            "vtkMRMLSegmentationNode", f"True lesions, {sample}"
        )
        lesions = self.voxels(truth, truth.GetSegmentation().GetNthSegmentID(0))
        numbered, count = ndimage.label(lesions, np.ones((3, 3, 3)))
        largest = 1 + int(np.argmax(np.bincount(numbered.ravel(), minlength=count + 1)[1:]))
        found = [row.segment for row in self.panel.findings.rows()]
        hits = [
            name
            for name in found
            if (self.voxels(parameters.segmentation, name) & (numbered == largest)).any()
        ]
        self.assertTrue(hits, f"None of {len(found)} findings touches the largest true lesion.")

    def voxels(self, segmentation: Any, segment: str) -> np.ndarray:
        """(k, j, i) of the PET, or MR: where a segment is."""
        image = self.image()
        return slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment, image) > 0

    def image(self) -> Any:
        """The PET, or MR, that is looked at."""
        from PETAnomalyLib.panel.parameters import studyImage

        return studyImage(self.panel.parameters)
