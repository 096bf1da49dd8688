"""``slicer.app.coreIOManager()``: the file types that the panel reads and writes, on slicer-core's
own readers and writers.

slicer.util's ``loadVolume``, ``loadSegmentation``, ``saveNode``, ``saveScene``, ``loadScene`` and
their like all end here.
Source: Slicer, Base/QTCore/qSlicerCoreIOManager.cxx and the readers of the Volumes, Segmentations,
Tables and Data modules.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk

VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm")
SEGMENTATION_SUFFIXES = (".seg.nrrd", ".seg.nhdr")
TABLE_SUFFIXES = (".csv", ".tsv")
SCENE_SUFFIXES = (".mrml", ".mrb")


class CoreIOManager:
    """Loads files into nodes and nodes into files, by Slicer's names of file types."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._loaders: dict[str, Callable[[dict[str, Any]], list[Any] | None]] = {
            "VolumeFile": self._loadVolume,
            "SegmentationFile": self._loadSegmentation,
            "TableFile": self._loadTable,
            "SceneFile": self._loadScene,
        }

    def fileType(self, fileName: str) -> str:
        name = str(fileName).lower()
        for suffixes, fileType in (
            (SEGMENTATION_SUFFIXES, "SegmentationFile"),
            (VOLUME_SUFFIXES, "VolumeFile"),
            (TABLE_SUFFIXES, "TableFile"),
            (SCENE_SUFFIXES, "SceneFile"),
        ):
            if name.endswith(suffixes):
                return fileType
        return "NoFile"

    def fileWriterFileType(self, node: Any) -> str:
        """The name of the writer; every storable node here is written by its own storage node."""
        return node.GetClassName()

    def loadNodes(
        self, fileType: str, properties: dict[str, Any], loaded: Any, messages: Any = None
    ) -> bool:
        """Load one file; the new nodes are added to the collection ``loaded``.

        False when it can't be read.
        """
        loader = self._loaders.get(fileType)
        nodes = loader(properties) if loader else None
        if nodes is None:
            if messages is not None:
                text = f"{fileType}: can't read {properties['fileName']}"
                messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)
            return False
        for node in nodes:
            if loaded is not None:
                loaded.AddItem(node)
        return True

    def saveNodes(self, fileType: str, properties: dict[str, Any], _messages: Any = None) -> bool:
        """Save the scene, or the node ``properties["nodeID"]``, to ``properties["fileName"]``."""
        fileName = str(properties["fileName"])
        if fileType == "SceneFile":
            return self._saveScene(fileName)
        node = self._scene.GetNodeByID(properties["nodeID"])
        storage = node.GetStorageNode()
        if storage is None:
            storage = node.CreateDefaultStorageNode()
            storage.UnRegister(None)
            self._scene.AddNode(storage)
            node.SetAndObserveStorageNodeID(storage.GetID())
        storage.SetFileName(fileName)
        if "useCompression" in properties:
            storage.SetUseCompression(int(properties["useCompression"]))
        return bool(storage.WriteData(node))

    def _loadVolume(self, properties: dict[str, Any]) -> list[Any] | None:
        fileName = str(properties["fileName"])
        if not Path(fileName).is_file():
            return None
        name = properties.get("name") or Path(fileName).name.split(".")[0]
        labelMap, center, singleFile = 1, 2, 4  # vtkSlicerVolumesLogic's loading options
        options = labelMap * bool(properties.get("labelmap"))
        options += center * bool(properties.get("center"))
        options += singleFile * bool(properties.get("singleFile", True))
        logic = slicer.modules.volumes.logic()
        node = logic.AddArchetypeVolume(fileName, name, options)
        if node is None:
            return None
        if properties.get("show", True):
            slicer.util.setSliceViewerLayers(background=node, fit=True)
        return [node]

    def _loadSegmentation(self, properties: dict[str, Any]) -> list[Any] | None:
        fileName = str(properties["fileName"])
        name = properties.get("name") or Path(fileName).name.split(".")[0]
        logic = slicer.modules.segmentations.logic()
        node = logic.LoadSegmentationFromFile(fileName, True, name)
        return None if node is None else [node]

    def _loadTable(self, properties: dict[str, Any]) -> list[Any] | None:
        fileName = str(properties["fileName"])
        name = properties.get("name") or Path(fileName).stem
        node = slicer.modules.tables.logic().AddTable(fileName, name)
        return None if node is None else [node]

    def _loadScene(self, properties: dict[str, Any]) -> list[Any] | None:
        fileName = str(properties["fileName"])
        clear = bool(properties.get("clear", False))
        if fileName.lower().endswith(".mrb"):
            return [] if self._scene.ReadFromMRB(fileName, clear) else None
        self._scene.SetURL(fileName)
        ok = self._scene.Connect() if clear else self._scene.Import()
        return [] if ok else None

    def _saveScene(self, fileName: str) -> bool:
        suffix = Path(fileName).suffix.lower()
        if suffix == ".mrb":
            return bool(self._scene.WriteToMRB(fileName))
        if suffix == ".mrml":
            self._scene.SetURL(fileName)
            return bool(self._scene.Commit(fileName))
        return bool(self._scene.SaveSceneToSlicerDataBundleDirectory(fileName))
