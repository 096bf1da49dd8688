"""The panel: its sections, one parameter node, one errand for the engine at a time.

A study goes from top to bottom: choose it, choose a model, Detect, look, correct. The sections show
and change the parameter node; this file binds them to the node, to the scene's coming and going,
and to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import SlicerParameterNamePropertyName
from slicer.util import VTKObservationMixin
from vtk import vtkCommand

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.panel import parameters as study
from PETAnomalyLib.panel.environment.installer import InstallOutcome
from PETAnomalyLib.panel.jobs.brain_sample import brainSampleJob
from PETAnomalyLib.panel.jobs.detection import detectionJob
from PETAnomalyLib.panel.jobs.dicom_export import dicomJob, offerToDatabase
from PETAnomalyLib.panel.jobs.sample import sampleJob
from PETAnomalyLib.panel.jobs.suv import suvJob
from PETAnomalyLib.panel.jobs.task import EngineTask, Job, TaskOutcome
from PETAnomalyLib.panel.scene.inputs import dicomFiles
from PETAnomalyLib.panel.scene.result_files import Results
from PETAnomalyLib.panel.scene.view_3d import stop3D
from PETAnomalyLib.panel.scene.volume_watch import VolumeWatch
from PETAnomalyLib.panel.sections.display import DisplaySection
from PETAnomalyLib.panel.sections.engine import EngineSection
from PETAnomalyLib.panel.sections.findings import FindingsSection
from PETAnomalyLib.panel.sections.look import applyLook
from PETAnomalyLib.panel.sections.model import ModelSection
from PETAnomalyLib.panel.sections.run import RunSection
from PETAnomalyLib.panel.sections.study import StudySection
from PETAnomalyLib.panel.sections.wording import Wording
from PETAnomalyLib.panel.settings import DEFAULT_DEVICE

ASK_MS = 1000


class PETAnomalyPanel(VTKObservationMixin):
    """Behaviour of the module's widget.

    Lifecycle: constructed with the loaded `.ui`; `enter`/`exit` as the module is shown and left;
    `cleanup` before it goes. A run goes on while another module is shown; it ends with the scene,
    with a reload and with the application.

    Args:
        ui: the widgets of PETAnomaly.ui by name.
        getParameterNode: makes or finds the scene's typed parameter node.
        task, model, engine, findings: collaborators; a test may hand in its own.
    """

    def __init__(
        self,
        ui: Any,
        getParameterNode: Callable[[], study.Parameters],
        task: EngineTask | None = None,
        model: ModelSection | None = None,
        engine: EngineSection | None = None,
        findings: FindingsSection | None = None,
    ) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.parameters: study.Parameters = None
        self._getParameterNode = getParameterNode
        self._guiTag = None
        self._warnings: list[str] = []
        self._doneText = ""
        self._isEntered = False
        self._hasNewResults = False
        self._wording = Wording(ui)
        self.study = StudySection(ui)
        self.model = model if model is not None else ModelSection(ui)
        self.engine = engine if engine is not None else EngineSection(ui)
        self.run = RunSection(ui)
        self.display = DisplaySection(ui)
        self.findings = findings if findings is not None else FindingsSection(ui)
        self.findings.reference.sites.models = lambda: self.model.available
        self.findings.runs.installed = lambda: [model.name for model in self.model.available]
        self.findings.runs.maySwitch = lambda: not self.task.isPlacing
        self.task = task if task is not None else EngineTask()
        self._connect()
        self._update = qt.QTimer()  # many changes of the node, one look at it
        self._update.setSingleShot(True)
        self._update.setInterval(0)
        self._update.timeout.connect(self.update)
        self._ask = qt.QTimer()  # once the panel is there to be looked at
        self._ask.setSingleShot(True)
        self._ask.setInterval(ASK_MS)
        self._ask.timeout.connect(self.engine.askOnce)
        self._volumes = VolumeWatch()
        self._volumes.onChanged = self._update.start
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self._onSceneEndClose)
        self.addObserver(scene, scene.StartImportEvent, self._onSceneStartImport)
        self.addObserver(scene, scene.EndImportEvent, self._onSceneEndImport)
        self.addObserver(scene, scene.NodeRemovedEvent, self._onNodeRemoved)
        slicer.app.aboutToQuit.connect(self._onAboutToQuit)
        self.follow(getParameterNode())

    # Coming and going

    def enter(self) -> None:
        """The module is shown."""
        self._isEntered = True
        if self.parameters is None:
            self.follow(self._getParameterNode())
        self.study.forget()
        applyLook(self.ui)
        self._ask.start()
        self.findings.enter()
        self.update()

    def exit(self) -> None:
        """Another module is shown; a run goes on."""
        self._isEntered = False
        self._ask.stop()
        self._volumes.watch(())
        self.findings.exit()

    def cleanup(self) -> None:
        """The widget goes: reload, or the application quits."""
        slicer.app.aboutToQuit.disconnect(self._onAboutToQuit)
        self.stop()
        self.follow(None)
        self.removeObservers()

    def stop(self) -> None:
        """End what is under way, silently and completely."""
        self._update.stop()
        self._ask.stop()
        stop3D()
        self.task.stop()
        self.engine.stop()
        self.findings.stop()
        self.run.idle()

    def follow(self, parameters: study.Parameters | None) -> None:
        """Bind the panel to a parameter node; None to none."""
        if self.parameters is not None:
            self.parameters.disconnectGui(self._guiTag)
            self.removeObserver(
                self.parameters.parameterNode, vtkCommand.ModifiedEvent, self._onModified
            )
        self.parameters = parameters
        if parameters is not None:
            # Not connectGui: Slicer 5.8's returns no tag to disconnect by.
            self._guiTag = parameters.connectParametersToGui(self._boundWidgets())
            self.addObserver(parameters.parameterNode, vtkCommand.ModifiedEvent, self._onModified)
        self.model.setParameters(parameters)
        self.display.setParameters(parameters)
        self.findings.setParameters(parameters, self.model.model)
        self.update()

    def update(self) -> None:
        """Show the parameter node, in every section."""
        self._update.stop()
        self._volumes.watch(self._inputs())
        if self.parameters is None:
            self.run.update([_("No scene is open.")])
            return
        self.model.update()
        self._wording.show(study.isOfMr(self.parameters))
        self.study.update(self.parameters, self.model.model, self.isBusy)
        self.display.update()
        self.findings.update(self.model.model)
        self.findings.dicom.update(self.isBusy)
        self.run.update(self.whyNot(), study.isOfMr(self.parameters))
        if self._hasNewResults:
            self._hasNewResults = False
            self._showResults()

    def _showResults(self) -> None:
        """What is done is folded away: room for the findings, from the first one on."""
        for section in (self.ui.studySection, self.ui.modelSection):
            section.collapsed = True
        self.ui.findingsSection.collapsed = False
        self.findings.showFirst()

    @property
    def isBusy(self) -> bool:
        """The engine, or a question to its Python, is under way."""
        return self.engine.readiness.isEnsuring or self.task.isRunning

    def _inputs(self) -> list:
        """The chosen volumes while the module is shown: what is done to them matters then."""
        if self.parameters is None or not self._isEntered:
            return []
        parameters = self.parameters
        if study.isOfMr(parameters):
            return [study.live(parameters.mr), study.live(parameters.brainMask)]
        return [study.live(parameters.pet), study.live(parameters.ct)]

    def _boundWidgets(self) -> dict[str, Any]:
        """Widgets of the .ui by the parameter that they show (property SlicerParameterName)."""
        named = {
            widget.property(SlicerParameterNamePropertyName): widget
            for widget in vars(self.ui).values()
        }
        return {name: widget for name, widget in named.items() if name}

    def whyNot(self) -> list[str]:
        """Reasons against Detect, in words; none when it may start."""
        reasons = [*self.study.whyNot(), *self.model.whyNot()]
        reasons += self.engine.otherComputer.whyNot()
        ok, reason = study.validate(self.parameters)
        return reasons if ok else [*reasons, _(reason)]

    # Errands for the engine

    def detect(self) -> None:
        """Detect, after making sure that the engine's Python has what it needs."""
        self.study.forget()
        self.update()
        if self.whyNot() or self.isBusy or not self.findings.redrawing.mayBeReplaced():
            return
        if not self.study.mayBeTakenForSuv(self.parameters):
            return
        if self.engine.otherComputer.isChosen:  # it has what this one need not have
            self._startDetection()
            return
        if not self.engine.readiness.isReady:
            self.run.begin(isDetection=False)
            self.run.stage(_("Looking at the engine's Python"))
        self.engine.ensure(self._startDetection, self._onNotReady)

    def cancel(self) -> None:
        """Cancel what is under way."""
        if self.engine.readiness.isEnsuring:
            self.engine.stop()
            self._onEnded(TaskOutcome(cancelled=True))
            return
        self.task.cancel()

    def loadSample(self) -> None:
        """Make and load the sample study."""
        if study.isOfMr(self.parameters):
            self._loadBrainSample()
            return
        self._start(sampleJob(self.parameters), _("The sample study is loaded."))

    def _loadBrainSample(self) -> None:
        if self.isBusy or self.model.model is None:
            return
        contrast = self.model.model.contrast
        job = brainSampleJob(self.parameters, contrast)
        self.run.begin(isDetection=False)
        self.run.stage(_("Looking at the engine's Python"))
        start = partial(self._start, job, _("The sample brain MR is loaded."))
        self.engine.ensure(start, self._onNotReady, forBrainSample=True)

    def convertToSuv(self) -> None:
        """Convert the chosen PET from its DICOM files."""
        files = dicomFiles(self.parameters.pet)
        self._start(suvJob(self.parameters, files), _("Converted to SUVbw."))

    def exportDicom(self, series: Path | Sequence[Path], folder: Path) -> None:
        """Write the findings as DICOM objects.

        Args:
            series: the PET's DICOM files, or a folder that holds them.
            folder: for the objects.
        """
        if self.isBusy:
            return
        self.run.begin(isDetection=False)
        self.run.stage(_("Looking at the engine's Python"))
        start = partial(self._startDicom, series, folder)
        self.engine.ensure(start, self._onNotReady, forDicom=True)

    def _startDicom(self, series: Path | Sequence[Path], folder: Path) -> None:
        findings = self.findings
        try:
            job = dicomJob(
                self.parameters,
                findings.rows(),
                findings.delineation.describe(),
                series,
                folder,
                offerToDatabase,
            )
        except PETAnomalyError as error:
            self._onEnded(TaskOutcome(message=error.message, hint=error.hint))
            return
        self._start(job, _("The DICOM objects are in {folder}.").format(folder=folder))

    def _startDetection(self) -> None:
        try:
            other = self.engine.otherComputer
            job = detectionJob(
                self.parameters,
                self.model.model,
                # The cards that this computer has say nothing of the other's.
                DEFAULT_DEVICE if other.isChosen else self.engine.device,
                self._onResults,
                other.words(),
            )
        except PETAnomalyError as error:
            slicer.util.errorDisplay(f"{error.message}\n{error.hint}")
            return
        self._start(job, _("Done."), isDetection=True)

    def _start(self, job: Job, done: str, isDetection: bool = False) -> None:
        self._warnings = []
        self._doneText = done
        self.run.begin(isDetection)
        self.task.start(self.engine.interpreter(), job)
        self.update()

    def install(self) -> None:
        """Install what the engine's Python lacks, without a run after it."""
        if self.isBusy:
            return
        self.run.begin(isDetection=False)
        self.run.stage(_("Installing what the engine needs"))
        self._warnings, self._doneText = [], _("All that the engine needs is there.")
        self.engine.ensure(self._onInstalled, self._onNotReady)

    def _onInstalled(self) -> None:
        self._onEnded(TaskOutcome(ok=True))
        self.engine.ask()

    def _onNotReady(self, outcome: InstallOutcome) -> None:
        self._onEnded(TaskOutcome(cancelled=outcome.cancelled, message=outcome.message))

    def _onResults(self, results: Results) -> None:
        self._warnings = results.warnings
        self._hasNewResults = True
        self.parameters.layer = "map"
        count = len(results.findings)
        found = _("1 finding") if count == 1 else _("{n} findings").format(n=count)
        self._doneText = _("Done: {found}.").format(found=found)

    def _onEnded(self, outcome: TaskOutcome) -> None:
        self.run.end(outcome, self._doneText, self._warnings)
        self._update.start()  # not at once: the last step of placing has taken its time already

    # Signals and events

    def _connect(self) -> None:
        self.study.onSample = self.loadSample
        self.study.onConvert = self.convertToSuv
        self.model.onChanged = self.update
        self.model.onAdopted = self.findings.redrawing.keepDrawn
        self.engine.onChanged = self.update
        self.engine.onInstall = self.install
        self.engine.readiness.installer.onLog = partial(self.run.log, "info")
        self.findings.dicom.onExport = self.exportDicom
        self.run.onDetect = self.detect
        self.run.onCancel = self.cancel
        self.run.describeSettings = self._describeSettings
        self.task.onStage = self.run.stage
        self.task.onProgress = self.run.progress
        self.task.onLog = self.run.log
        self.task.onEnded = self._onEnded

    def _describeSettings(self) -> list[str]:
        """For the diagnostics: no names of volumes or patients."""
        parameters, lines = self.parameters, self.engine.describe()
        if parameters is not None:
            lines.append(
                f"Model {parameters.model}, scorer {parameters.scorer}, "
                f"samples {parameters.samples}, decodes {parameters.decodes}, "
                f"seed {parameters.seed}, device {self.engine.device}, "
                f"done within {parameters.timeBudget} s"
            )
            lines += self.study.describe()
        return lines

    def _onModified(self, _caller: Any, _event: Any) -> None:
        self._update.start()

    def _onNodeRemoved(self, _caller: Any, _event: Any) -> None:
        if self.parameters is not None and not slicer.mrmlScene.IsClosing():
            self._update.start()

    def _onSceneStartClose(self, _caller: Any, _event: Any) -> None:
        self.stop()
        self.follow(None)

    def _onSceneEndClose(self, _caller: Any, _event: Any) -> None:
        for section in (self.ui.studySection, self.ui.modelSection):
            section.collapsed = False
        self.follow(self._getParameterNode())

    def _onSceneStartImport(self, _caller: Any, _event: Any) -> None:
        # Selectors that don't know the coming nodes yet would write "None" into the parameter node.
        self.follow(None)

    def _onSceneEndImport(self, _caller: Any, _event: Any) -> None:
        parameters = self._getParameterNode()
        # The wrapper read its references while the nodes were not in the scene yet: read again.
        parameters.parameterNode.Modified()
        self.follow(parameters)

    def _onAboutToQuit(self) -> None:
        self.stop()
