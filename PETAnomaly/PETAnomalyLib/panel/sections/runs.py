"""The table of runs: the results of several models or settings beside each other, switched by a
click or the arrow keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, isOfMr
from PETAnomalyLib.panel.scene import view_3d
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.result_nodes import SHORT_TITLES
from PETAnomalyLib.panel.scene.runs import SceneRun, removeRun, runsOf, showRun
from PETAnomalyLib.panel.sections.redrawing import Confirmation, askUser

FEWEST, MOST_ROWS = 2, 4  # runs that make a table of what is shown, rows that are seen at once
AIR, SIDES = 6, 9  # pixels above and below a row's text together, and left and right of it


class RunsTable:
    """Shows the runs of the chosen PET, or MR, where there are several, and which one is shown.

    A row that becomes the current one is shown: map, findings, table, controls. What was changed
    by hand, judged or drawn otherwise stays with its run. `maySwitch()` says whether another one
    can be shown now, `installed()` the names of the models.

    Args:
        ui: the widgets by name.
        findings: of the run that is shown.
        confirm: asks before a run is deleted.
    """

    def __init__(
        self, ui: Any, findings: SceneFindings, confirm: Confirmation | None = None
    ) -> None:
        self.installed: Callable[[], Sequence[str]] = lambda: ()
        self.maySwitch: Callable[[], bool] = lambda: True
        self._view = ui.runsTable
        self._findings = findings
        self._confirm = confirm if confirm is not None else askUser
        self._parameters: Parameters = None
        self._runs: list[SceneRun] = []
        self._filling = False
        self._model = qt.QStandardItemModel()
        self._items: list = []  # PythonQt: an item that Python forgets may go before its model
        view = self._view
        view.setModel(self._model)
        view.verticalHeader().setVisible(False)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        self._selection = view.selectionModel()
        self._selection.currentRowChanged.connect(self._onCurrentRowChanged)
        view.clicked.connect(self._onClicked)
        self._delete = qt.QAction(_("Delete this run"), view)
        self._delete.setShortcut(qt.QKeySequence("Del"))
        self._delete.setShortcutContext(qt.Qt.WidgetWithChildrenShortcut)
        self._delete.triggered.connect(self._onDelete)
        view.setContextMenuPolicy(qt.Qt.ActionsContextMenu)
        view.addAction(self._delete)
        self._setHeadings()

    def setParameters(self, parameters: Parameters | None) -> None:
        """Follow another parameter node."""
        self._parameters = parameters
        self.update()

    def update(self) -> None:
        """The runs that are in the scene now."""
        runs = runsOf(self._parameters) if self._parameters is not None else []
        if runs != self._runs:
            self._runs = runs
            self._setHeadings()
            self._fill()
        # The only one is the way back to it, where another volume was looked at meanwhile.
        self._view.visible = len(runs) >= FEWEST or any(not run.isShown for run in runs)

    def texts(self) -> list[list[str]]:
        """What the cells show."""
        return [
            [self._model.item(row, column).text() for column in range(self._model.columnCount())]
            for row in range(self._model.rowCount())
        ]

    def _fill(self) -> None:
        self._filling = True
        self._model.removeRows(0, self._model.rowCount())
        self._items = []
        for row, run in enumerate(self._runs):
            for column, item in enumerate(_cells(run)):
                self._items.append(item)
                self._model.setItem(row, column, item)
        self._makeRoom()
        shown = next((row for row, run in enumerate(self._runs) if run.isShown), None)
        if shown is not None:
            self._selection.setCurrentIndex(
                self._model.index(shown, 0),
                qt.QItemSelectionModel.ClearAndSelect | qt.QItemSelectionModel.Rows,
            )
        self._filling = False

    def _show(self, segmentation: Any) -> None:
        parameters = self._parameters
        self._findings.settle()  # what a hand did last counts
        showRun(parameters, segmentation, self.installed())
        if parameters.view3D:
            view_3d.show3D(parameters)

    def _onCurrentRowChanged(self, current: Any, _previous: Any) -> None:
        if not self._filling:
            self._onClicked(current)

    def _onClicked(self, index: Any) -> None:
        if not index.isValid() or not self.maySwitch():
            return
        run = self._runs[index.row()]
        if not run.isShown and run.segmentation.GetScene() is not None:
            self._show(run.segmentation)
            self.update()

    def _onDelete(self, _checked: bool = False) -> None:
        row = self._view.currentIndex().row()
        if not 0 <= row < len(self._runs) or not self.maySwitch():
            return
        run = self._runs[row]
        question = _(
            "Delete the run of {model}, {time}, with its map, its findings and what was said of "
            "them? This can't be undone."
        ).format(model=run.name, time=_clock(run.time))
        if not self._confirm(question, _("Delete a run")):
            return
        removeRun(self._parameters, run.segmentation)
        left = [other for other in self._runs if other is not run]
        if run.isShown and left:
            self._show(left[-1].segmentation)
        self.update()

    def _setHeadings(self) -> None:
        headings = [
            (_("Ended"), _("When the run ended.")),
            (_("Model"), _("The model that it used.")),
            (_("Scorer"), _("The map that its findings are drawn from.")),
            ("#", _("How many findings it has, but for those called physiological.")),
            self._volumeHeading(),
        ]
        self._model.setColumnCount(len(headings))
        self._model.setHorizontalHeaderLabels([title for title, _tip in headings])
        for column, (_title, tip) in enumerate(headings):
            self._model.setHeaderData(column, qt.Qt.Horizontal, tip, qt.Qt.ToolTipRole)

    def _volumeHeading(self) -> tuple[str, str]:
        if self._parameters is not None and isOfMr(self._parameters):
            return _("Volume"), _("Their total volume in ml.")
        return _("TMTV"), _("Their total metabolic tumour volume in ml.")

    def _makeRoom(self) -> None:
        """As high as what it holds, within limits, and each column as wide: where that is wider
        than the dock, they scroll.
        """
        view = self._view
        line = view.fontMetrics().height() + AIR
        view.verticalHeader().setDefaultSectionSize(line)
        rows = min(max(len(self._runs), FEWEST), MOST_ROWS)
        view.setFixedHeight((rows + 1) * line + AIR + 2 * view.frameWidth)
        metrics = view.fontMetrics()
        for column in range(self._model.columnCount()):
            texts = [row[column] for row in self.texts()]
            texts.append(self._model.headerData(column, qt.Qt.Horizontal))
            widest = max(metrics.boundingRect(text).width() for text in texts)
            view.setColumnWidth(column, widest + SIDES)


def _cells(run: SceneRun) -> list:
    scorer = _(SHORT_TITLES[run.scorer]) if run.scorer in SHORT_TITLES else run.scorer
    cells = [
        (_clock(run.time), run.time),
        (run.name, run.model),
        (scorer, ""),
        (str(run.count), ""),
        (f"{run.volume_ml:.1f}", ""),
    ]
    items = []
    for index, (text, tip) in enumerate(cells):
        item = qt.QStandardItem(text)
        item.setToolTip(tip)
        item.setEditable(False)
        if index > 2:
            item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        items.append(item)
    return items


def _clock(time: str) -> str:
    """The time of day, before it the day where that is not today."""
    try:
        ended = datetime.fromisoformat(time).astimezone()
    except ValueError:
        return time
    isToday = ended.date() == datetime.now().astimezone().date()
    return ended.strftime("%H:%M" if isToday else "%Y-%m-%d %H:%M")
