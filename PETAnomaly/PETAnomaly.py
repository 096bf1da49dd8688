"""PETAnomaly: unsupervised anomaly detection in whole-body FDG-PET/CT, as a module of 3D Slicer.

What Slicer loads: the module's metadata, a thin widget and the self-test. The behaviour is in
`PETAnomalyLib.panel`; inference runs in a process of its own (`PETAnomalyLib.engine`).
"""

import sys
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
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
        from PETAnomalyLib.panel import sample_data

        sample_data.register(self.resourcePath("Icons/PETAnomaly.png"))


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
