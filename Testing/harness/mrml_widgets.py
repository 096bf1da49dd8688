"""Slicer's qMRML widgets, as far as the panel uses them: ``slicer.qMRMLWidget``,
``qMRMLNodeComboBox``, ``qMRMLSegmentEditorWidget``.

Source: Slicer, Libs/MRML/Widgets/qMRMLNodeComboBox.cxx and
Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.h.
"""

from __future__ import annotations

from typing import Any

import shiboken6
import slicer
import vtk
from qt import (
    Property,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
    Signal,
)

__all__ = ["qMRMLNodeComboBox", "qMRMLSegmentEditorWidget", "qMRMLWidget"]


def setting(kind: Any, name: str) -> Any:
    """A plain setting of a widget as a Qt property, so that a .ui file can set it too."""

    def get(self: Any) -> Any:
        return self._settings[name]

    def put(self: Any, value: Any) -> None:
        self._set(name, list(value) if isinstance(value, (list, tuple)) else value)

    return Property(kind, get, put)


class qMRMLWidget(QWidget):
    """A widget that knows a scene and tells when it gets another."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)


class qMRMLNodeComboBox(QWidget):
    """The nodes of a scene that match the node types and attributes, with "None" on top when that
    is allowed.

    Disabled until it has a scene. Without "None" it is never without a node as long as there is a
    matching one: the first to come is chosen, and when the chosen one goes, its neighbour takes its
    place.
    """

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observerTags: list[int] = []
        self._nodeObservers: dict[str, tuple[Any, int]] = {}
        self._requestedID = ""
        self._attributes: list[tuple[str, str, Any]] = []
        self._settings: dict[str, Any] = {
            "nodeTypes": [],
            "hideChildNodeTypes": [],
            "noneEnabled": False,
            "noneDisplay": "None",
            "showHidden": False,
            "showChildNodeTypes": True,
            "addEnabled": True,
            "removeEnabled": True,
            "renameEnabled": False,
            "editEnabled": False,
            "selectNodeUponCreation": True,
            "baseName": "",
        }
        self._combo = QComboBox(self)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._combo.currentIndexChanged.connect(self._onIndexChanged)
        self._combo.activated.connect(self._onActivated)
        self._lastEmittedID = ""
        self.setEnabled(False)

    # Scene

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._stopObserving()
        wanted = self._requestedID or self._currentID()
        self._scene = scene
        if scene is not None:

            @vtk.calldata_type(vtk.VTK_OBJECT)
            def onNodeAdded(_caller: Any, _event: Any, node: Any) -> None:
                if self._isDeleted() or node is None or not self._matches(node):
                    return  # of the scene's hundred nodes a box lists a few
                self._refresh()
                if shiboken6.isValid(self) and node.GetID() in self._nodeIDs():
                    self.nodeAdded.emit(node)

            @vtk.calldata_type(vtk.VTK_OBJECT)
            def onNodeRemoved(_caller: Any, _event: Any, node: Any) -> None:
                if not self._isDeleted() and (node is None or node.GetID() in self._nodeIDs()):
                    self._refresh()

            changed = [
                slicer.vtkMRMLScene.EndImportEvent,
                slicer.vtkMRMLScene.EndCloseEvent,
                slicer.vtkMRMLScene.EndRestoreEvent,
            ]
            tags = [scene.AddObserver(event, lambda *_: self._refresh()) for event in changed]
            tags.append(scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, onNodeAdded))
            tags.append(scene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, onNodeRemoved))
            self._observerTags = tags
        self._refresh()
        self.setEnabled(scene is not None)
        if wanted:
            self.setCurrentNodeID(wanted)
        self._requestedID = ""

    def _isDeleted(self) -> bool:
        """Whether Qt has deleted the widget; then, as Slicer's destructor, it stops observing."""
        if shiboken6.isValid(self._combo):
            return False
        self._stopObserving()
        return True

    def _stopObserving(self) -> None:
        for tag in self._observerTags:
            self._scene.RemoveObserver(tag)
        for node, tag in self._nodeObservers.values():
            node.RemoveObserver(tag)
        self._observerTags, self._nodeObservers = [], {}

    # Nodes

    def nodeCount(self) -> int:
        return len(self._nodeIDs())

    def nodeFromIndex(self, index: int) -> Any:
        ids = self._nodeIDs()
        return self._scene.GetNodeByID(ids[index]) if 0 <= index < len(ids) else None

    def currentNode(self) -> Any:
        nodeID = self._currentID()
        return self._scene.GetNodeByID(nodeID) if nodeID and self._scene else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, nodeID: str) -> None:
        if self._scene is None:
            self._requestedID = nodeID or ""
            return
        row = self._combo.findData(nodeID) if nodeID else -1
        if row < 0:
            row = 0 if self._settings["noneEnabled"] else -1
        self._combo.setCurrentIndex(row)

    def setCurrentNodeIndex(self, index: int) -> None:
        node = self.nodeFromIndex(index)
        self.setCurrentNode(node)

    def addNode(self, nodeType: str | None = None) -> Any:
        """Add a node of one of the node types (the first, if none is named) and choose it."""
        types = self._settings["nodeTypes"]
        className = nodeType or (types[0] if types else "")
        if className not in types:
            return None
        name = self._settings["baseName"] or self._scene.GetTypeDisplayNameByClassName(className)
        node = self._scene.AddNewNodeByClass(className, self._scene.GenerateUniqueName(name))
        for ofType, attribute, value in self._attributes:
            if ofType == className:
                node.SetAttribute(attribute, "" if value is None else str(value))
        if self._settings["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def addAttribute(self, nodeType: str, attributeName: str, attributeValue: Any = None) -> None:
        self._attributes.append((nodeType, attributeName, attributeValue))
        self._refresh()

    def removeAttribute(self, nodeType: str, attributeName: str) -> None:
        self._attributes = [a for a in self._attributes if a[:2] != (nodeType, attributeName)]
        self._refresh()

    def _matches(self, node: Any) -> bool:
        settings = self._settings
        if node.GetHideFromEditors() and not settings["showHidden"]:
            return False
        if settings["showChildNodeTypes"]:
            matching = [t for t in settings["nodeTypes"] if node.IsA(t)]
        else:
            matching = [t for t in settings["nodeTypes"] if node.GetClassName() == t]
        if not matching or any(node.IsA(t) for t in settings["hideChildNodeTypes"]):
            return False
        for nodeType, name, value in self._attributes:
            if nodeType in matching:
                own = node.GetAttribute(name)
                if own is None or (value is not None and own != str(value)):
                    return False
        return True

    def _nodeIDs(self) -> list[str]:
        rows = range(self._combo.count)
        return [self._combo.itemData(row) for row in rows if self._combo.itemData(row)]

    def _currentID(self) -> str:
        return self._combo.itemData(self._combo.currentIndex) or ""

    def _refresh(self) -> None:
        """List the scene's matching nodes anew; keep the current one, or choose its neighbour when
        it is gone.
        """
        if self._isDeleted():
            return
        previousID, previousRow = self._currentID(), self._combo.currentIndex
        nodes = [] if self._scene is None else self._matchingNodes()
        blocked = self._combo.blockSignals(True)
        self._combo.clear()
        if self._settings["noneEnabled"]:
            self._combo.addItem(self._settings["noneDisplay"], "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        row = self._combo.findData(previousID) if previousID else -1
        if row < 0 and nodes:
            hadNode = bool(previousID)
            neighbour = min(max(previousRow, 0), self._combo.count - 1)
            row = neighbour if hadNode or not self._settings["noneEnabled"] else 0
        elif row < 0:
            row = 0 if self._settings["noneEnabled"] else -1
        self._combo.setCurrentIndex(row)
        self._combo.blockSignals(blocked)
        self._observeNodes(nodes)
        if self._currentID() != self._lastEmittedID:
            self._onIndexChanged()

    def _matchingNodes(self) -> list[Any]:
        every = (self._scene.GetNthNode(i) for i in range(self._scene.GetNumberOfNodes()))
        return [node for node in every if self._matches(node)]

    def _observeNodes(self, nodes: list[Any]) -> None:
        """Follow the names of the nodes listed."""
        listed = {node.GetID(): node for node in nodes}
        for nodeID in set(self._nodeObservers) - set(listed):
            node, tag = self._nodeObservers.pop(nodeID)
            node.RemoveObserver(tag)
        for nodeID in set(listed) - set(self._nodeObservers):
            tag = listed[nodeID].AddObserver(vtk.vtkCommand.ModifiedEvent, self._onNodeModified)
            self._nodeObservers[nodeID] = (listed[nodeID], tag)

    def _onNodeModified(self, node: Any, _event: str) -> None:
        if self._isDeleted():
            return
        row = self._combo.findData(node.GetID())
        if row >= 0 and self._combo.itemText(row) != node.GetName():
            self._combo.setItemText(row, node.GetName())

    def _onIndexChanged(self, *_: Any) -> None:
        self._lastEmittedID = self._currentID()
        self.currentNodeChanged.emit(self.currentNode())
        self.currentNodeIDChanged.emit(self._lastEmittedID)

    def _onActivated(self, *_: Any) -> None:
        self.nodeActivated.emit(self.currentNode())

    def _set(self, name: str, value: Any) -> None:
        self._settings[name] = value
        self._refresh()

    currentNodeID = Property(str, _currentID, setCurrentNodeID)
    nodeTypes = setting("QStringList", "nodeTypes")
    hideChildNodeTypes = setting("QStringList", "hideChildNodeTypes")
    noneEnabled = setting(bool, "noneEnabled")
    noneDisplay = setting(str, "noneDisplay")
    showHidden = setting(bool, "showHidden")
    showChildNodeTypes = setting(bool, "showChildNodeTypes")
    addEnabled = setting(bool, "addEnabled")
    removeEnabled = setting(bool, "removeEnabled")
    renameEnabled = setting(bool, "renameEnabled")
    editEnabled = setting(bool, "editEnabled")
    selectNodeUponCreation = setting(bool, "selectNodeUponCreation")
    baseName = setting(str, "baseName")


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The Segment Editor without its effects: the nodes it works on, and undo and redo over the
    real segmentation history.
    """

    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    currentSegmentIDChanged = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editorNode: Any = None
        self._segmentationNode: Any = None
        self._sourceVolumeNode: Any = None
        self._segmentID = ""
        self._autoShowSourceVolumeNode = True
        self._nodeAddedTag: int | None = None
        self._history = slicer.vtkSegmentationHistory()
        self._label = QLabel("Segment Editor (its effects need Slicer itself)", self)
        layout = QVBoxLayout(self)
        layout.addWidget(self._label)

    def setMRMLScene(self, scene: Any) -> None:
        """Its selector has no "None": without a segmentation it takes the next one that comes."""
        if self._nodeAddedTag is not None:
            self._scene.RemoveObserver(self._nodeAddedTag)
            self._nodeAddedTag = None
        super().setMRMLScene(scene)
        if scene is None:
            return

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def onNodeAdded(_caller: Any, _event: Any, node: Any) -> None:
            if not shiboken6.isValid(self):
                scene.RemoveObserver(tag)
            elif node.IsA("vtkMRMLSegmentationNode") and self._segmentationNode is None:
                self.setSegmentationNode(node)

        self._nodeAddedTag = tag = scene.AddObserver(
            slicer.vtkMRMLScene.NodeAddedEvent, onNodeAdded
        )

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._editorNode = node

    def mrmlSegmentEditorNode(self) -> Any:
        return self._editorNode

    def setSegmentationNode(self, node: Any) -> None:
        if node is self._segmentationNode:
            return
        self._segmentationNode = node
        if self._editorNode is not None:
            self._editorNode.SetAndObserveSegmentationNode(node)
        self._history.RemoveAllStates()
        self._history.SetSegmentation(node.GetSegmentation() if node is not None else None)
        self.segmentationNodeChanged.emit(node)

    def segmentationNode(self) -> Any:
        return self._segmentationNode

    def setSourceVolumeNode(self, node: Any) -> None:
        if node is self._sourceVolumeNode:
            return
        self._sourceVolumeNode = node
        if self._editorNode is not None:
            self._editorNode.SetAndObserveSourceVolumeNode(node)
        if self._autoShowSourceVolumeNode and node is not None:
            slicer.util.setSliceViewerLayers(background=node)
        self.sourceVolumeNodeChanged.emit(node)

    def sourceVolumeNode(self) -> Any:
        return self._sourceVolumeNode

    def setCurrentSegmentID(self, segmentID: str) -> None:
        self._segmentID = segmentID
        self.currentSegmentIDChanged.emit(segmentID)

    def currentSegmentID(self) -> str:
        return self._segmentID

    def setMaximumNumberOfUndoStates(self, states: int) -> None:
        self._history.SetMaximumNumberOfStates(states)

    def saveStateForUndo(self) -> None:
        self._history.SaveState()

    def undo(self) -> None:
        self._history.RestorePreviousState()

    def redo(self) -> None:
        self._history.RestoreNextState()

    def setActiveEffect(self, _effect: Any) -> None:
        """No effect is there to be activated."""

    def setActiveEffectByName(self, _name: str) -> None:
        """No effect is there to be activated."""

    def installKeyboardShortcuts(self) -> None:
        """No effect is there to have shortcuts."""

    def uninstallKeyboardShortcuts(self) -> None:
        """No shortcut was installed."""

    def setSegmentationNodeSelectorVisible(self, _visible: bool) -> None:
        """No selector is there to be hidden."""

    def setSourceVolumeNodeSelectorVisible(self, _visible: bool) -> None:
        """No selector is there to be hidden."""

    def setAutoShowSourceVolumeNode(self, autoShow: bool) -> None:
        self._autoShowSourceVolumeNode = autoShow

    def setSwitchToSegmentationsButtonVisible(self, _visible: bool) -> None:
        """No button is there to be hidden."""

    def setupViewObservations(self) -> None:
        """No view is there to be observed."""

    def removeViewObservations(self) -> None:
        """No view was observed."""

    maximumNumberOfUndoStates = Property(
        int, lambda self: self._history.GetMaximumNumberOfStates(), setMaximumNumberOfUndoStates
    )
