"""The findings' table on screen: sort, select, go there, show or hide, delete.

It mirrors rows (`findings_table_node.Row`) and tells, by segment, what the radiologist did; it
changes nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import qt

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.segmentation import colour
from PETAnomalyLib.engine.findings.verdict import PHYSIOLOGICAL
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.sections.finding_cells import SEGMENT_ROLE, SORT_ROLE, cellsOf, headings
from PETAnomalyLib.panel.sections.further_columns import FURTHER, SHOWN_AT_FIRST, heading
from PETAnomalyLib.panel.sections.look import Look
from PETAnomalyLib.panel.settings import Settings

LEAST_ROWS, MOST_ROWS = 4, 12  # that the table has room for at least, as many as there are
AIR, SIDES = 6, 9  # pixels above and below a row's text together, and left and right of it


class FindingsTable:
    """A QTableView's model and its gestures.

    `onJump(segment)` comes when a row becomes the current one, by mouse or keyboard, or is clicked
    again; `onSelection()` when other rows are selected; `onVisibility(segment, shown)` when a row's
    tick changes; `onDelete(segments)` on the Delete key. None of them comes while `show` fills the
    table.
    """

    def __init__(self, view: Any, settings: Settings | None = None) -> None:
        self.onJump: Callable[[str], None] = lambda _segment: None
        self.onSelection: Callable[[], None] = lambda: None
        self.onVisibility: Callable[[str, bool], None] = lambda _segment, _shown: None
        self.onDelete: Callable[[list[str]], None] = lambda _segments: None
        self._filling = False
        self._view = view
        self._model = qt.QStandardItemModel()
        self._model.setSortRole(SORT_ROLE)
        self._items: list = []  # PythonQt: an item that Python forgets may go before its model
        view.setModel(self._model)
        view.verticalHeader().setVisible(False)
        self._model.itemChanged.connect(self._onItemChanged)
        self._selection = view.selectionModel()
        self._selection.currentRowChanged.connect(self._onCurrentRowChanged)
        self._selection.selectionChanged.connect(self._onSelectionChanged)
        view.clicked.connect(self._onClicked)
        self._deleteKey = qt.QShortcut(qt.QKeySequence("Del"), view)
        self._deleteKey.setContext(qt.Qt.WidgetWithChildrenShortcut)
        self._deleteKey.activated.connect(self._onDeleteKey)
        self._kind: type = Finding
        self._placed = 0  # columns before the further ones
        self._further: list[str] = []
        self._settings = settings if settings is not None else Settings()
        chosen = self._settings.hiddenColumns
        self._hidden = {name for name in FURTHER if name not in SHOWN_AT_FIRST}
        if chosen is not None:
            self._hidden = set(chosen)
        self._actions: list = []
        self._setHeadings()
        header = view.horizontalHeader()
        header.setContextMenuPolicy(qt.Qt.ActionsContextMenu)  # which further columns are shown
        header.setHighlightSections(False)  # bold headings take more room than there is
        header.setStretchLastSection(True)
        header.sortIndicatorChanged.connect(self._onSorted)
        view.sortByColumn(0, qt.Qt.AscendingOrder)

    def show(
        self,
        rows: Sequence[Row],
        isVisible: Callable[[str], bool],
        colourOf: Callable[[Row], tuple[int, int, int]] = lambda row: colour(row.finding.number),
        measured: Callable[[Row], tuple[tuple[str, str], ...]] = lambda _row: (),
        kind: type = Finding,
    ) -> None:
        """Fill the table; the selected findings stay selected where they still exist.

        Args:
            rows: the findings.
            isVisible: is a segment shown?
            colourOf: red, green, blue (0..255) of a finding in the views.
            measured: name and text of columns before the row's own further ones.
            kind: of finding.
        """
        rows = [replace(row, further=(*measured(row), *row.further)) for row in rows]
        selected = set(self.selectedSegments())
        self._filling = True
        self._model.removeRows(0, self._model.rowCount())
        self._setKind(kind)
        self._setFurther([name for name, _text in rows[0].further] if rows else [])
        self._items = []
        dimmed = qt.QBrush(qt.QColor(*Look(self._view.palette).dimmed))
        for index, row in enumerate(rows):
            for column, item in enumerate(cellsOf(row, isVisible(row.segment), colourOf(row))):
                if row.verdict == PHYSIOLOGICAL:
                    item.setForeground(dimmed)
                self._items.append(item)
                self._model.setItem(index, column, item)
        self._model.sort(self._sortColumn(), self._sortOrder())
        self._select(selected)
        self._makeRoom(len(rows))
        self._filling = False

    def selectedSegments(self) -> list[str]:
        """Segments of the selected rows, from top to bottom."""
        rows = sorted({index.row() for index in self._selection.selectedRows()})
        return [self._segmentAt(row) for row in rows]

    def segments(self) -> list[str]:
        """All segments in the order shown."""
        return [self._segmentAt(row) for row in range(self._model.rowCount())]

    def selectSegment(self, segment: str) -> None:
        """As if its row were clicked."""
        if segment in self.segments():
            self._view.selectRow(self.segments().index(segment))

    def takeFocus(self) -> None:
        """The keyboard is the table's now."""
        self._view.setFocus()

    def setVisible(self, segment: str, shown: bool) -> None:
        """As if its tick were clicked."""
        item = self._model.item(self.segments().index(segment), 0)
        item.setCheckState(qt.Qt.Checked if shown else qt.Qt.Unchecked)

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        return self._model.item(row, column).text()

    def _setHeadings(self) -> None:
        titles = headings(self._kind)
        self._placed = len(titles)
        self._model.setColumnCount(len(titles))
        self._model.setHorizontalHeaderLabels([title for title, _tip in titles])
        for column, (_title, tip) in enumerate(titles):
            self._model.setHeaderData(column, qt.Qt.Horizontal, tip, qt.Qt.ToolTipRole)
            self._view.setColumnHidden(column, False)

    def _setKind(self, kind: type) -> None:
        """Columns of a PET's findings, or of an MR's."""
        if kind is not self._kind:
            self._setFurther([])
            self._kind = kind
            self._setHeadings()

    def setColumnShown(self, name: str, shown: bool) -> None:
        """Show or hide a further column, as its tick in the headings' menu does; kept with this
        computer.
        """
        self._hidden = self._hidden - {name} if shown else self._hidden | {name}
        self._settings.hiddenColumns = sorted(self._hidden)
        if name in self._further:
            self._view.setColumnHidden(self._placed + self._further.index(name), not shown)

    def _setFurther(self, names: list[str]) -> None:
        """The columns after those that are always there, and the menu that hides them."""
        if names == self._further:
            return
        header = self._view.horizontalHeader()
        for action in self._actions:
            header.removeAction(action)
        self._further, self._actions = names, []
        self._model.setColumnCount(self._placed + len(names))
        for index, name in enumerate(names):
            title, tip = heading(name)
            self._model.setHeaderData(self._placed + index, qt.Qt.Horizontal, title)
            self._model.setHeaderData(
                self._placed + index, qt.Qt.Horizontal, tip, qt.Qt.ToolTipRole
            )
            self._view.setColumnHidden(self._placed + index, name in self._hidden)
            action = qt.QAction(title, header)
            action.setCheckable(True)
            action.setChecked(name not in self._hidden)
            action.toggled.connect(partial(self.setColumnShown, name))
            header.addAction(action)
            self._actions.append(action)

    def _sortColumn(self) -> int:
        return max(0, self._view.horizontalHeader().sortIndicatorSection())

    def _sortOrder(self) -> Any:
        return self._view.horizontalHeader().sortIndicatorOrder()

    def _segmentAt(self, row: int) -> str:
        return self._model.item(row, 0).data(SEGMENT_ROLE)

    def _select(self, segments: set[str]) -> None:
        if not segments:
            return
        flags = qt.QItemSelectionModel.Select | qt.QItemSelectionModel.Rows
        for row, segment in enumerate(self.segments()):
            if segment in segments:
                index = self._model.index(row, 0)
                self._selection.setCurrentIndex(index, flags)  # arrows go on from there

    def _makeRoom(self, rows: int) -> None:
        """As many rows as there are can be seen, within limits; more where the dock is higher.
        Columns are as wide as what stands in them: where that is wider than the dock, they scroll.
        """
        line = self._view.fontMetrics().height() + AIR
        self._view.verticalHeader().setDefaultSectionSize(line)
        shown = min(max(rows, LEAST_ROWS), MOST_ROWS)
        scrolling = self._view.horizontalScrollBar().sizeHint().height()  # columns are often wider
        rim = AIR + 2 * self._view.frameWidth + scrolling
        self._view.setMinimumHeight((shown + 1) * line + rim)
        metrics = self._view.fontMetrics()
        for column in range(self._model.columnCount()):
            texts = [self._model.item(row, column).text() for row in range(rows)]
            heading = self._model.headerData(column, qt.Qt.Horizontal)
            widest = max(metrics.boundingRect(text).width() for text in [*texts, heading])
            more = 2 * line if column == 0 else 0  # tick and colour
            if column == self._sortColumn():
                more = max(more, line)  # the arrow
            self._view.setColumnWidth(column, widest + SIDES + more)

    def _onItemChanged(self, item: Any) -> None:
        if self._filling or item.column() != 0:
            return
        self.onVisibility(item.data(SEGMENT_ROLE), item.checkState() == qt.Qt.Checked)

    def _onCurrentRowChanged(self, current: Any, _previous: Any) -> None:
        if not self._filling and current.isValid():
            self.onJump(self._segmentAt(current.row()))

    def _onSelectionChanged(self, _selected: Any, _deselected: Any) -> None:
        if not self._filling:
            self.onSelection()

    def _onSorted(self, _column: int, _order: Any) -> None:
        self._makeRoom(self._model.rowCount())

    def _onClicked(self, index: Any) -> None:
        if index.isValid():
            self.onJump(self._segmentAt(index.row()))

    def _onDeleteKey(self) -> None:
        segments = self.selectedSegments()
        if segments:
            self.onDelete(segments)
