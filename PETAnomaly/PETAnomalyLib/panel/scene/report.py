"""The report of a reading as a page of HTML: what was looked at, with what, and what was found.

No name stands in it: volumes are called after patients.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.findings.verdict import UNSURE
from PETAnomalyLib.panel.parameters import Parameters, findingsSegmentation, isOfMr, live
from PETAnomalyLib.panel.scene.finding_kinds import volumeMl
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.inputs import describeGrid
from PETAnomalyLib.panel.scene.run_record import runOf, warningsOf
from PETAnomalyLib.panel.scene.totals import ReadingTotals, lesions, totalsOf

SETTINGS = ("scorer", "threshold", "grow", "min_volume_ml", "samples", "decodes", "seed", "device")
PICTURE_WIDTH = 640  # pixels: an overview of slices is wider than a page
STYLE = (
    "body { font-family: sans-serif; font-size: 10pt; } td, th { padding-right: 12px; } "
    "th { text-align: left; }"
)


def reportHtml(
    parameters: Parameters,
    rows: Sequence[Row],
    picture: bytes,
    settings: dict[str, Any],
    references: Sequence[tuple[str, str]] = (),
) -> str:
    """The whole page, the picture in it.

    Args:
        parameters: of the study.
        rows: the findings as they were read.
        picture: PNG of the PET from the front, the lesions numbered, or of the MR's slices.
        settings: with which the findings are drawn now, over those of the run.
        references: title and value of what the findings are seen beside.
    """
    segmentation = findingsSegmentation(parameters)
    run = runOf(segmentation)
    used = {**run.get("settings", {}), **settings}
    ofMr = isOfMr(parameters)
    if ofMr:
        used.pop("grow", None)  # the engine keeps the default of a PET
    found = lesions(rows)
    undecided = sum(row.verdict == UNSURE for row in rows)
    facts = [(_("PET"), _volume(parameters.pet)), (_("CT"), _volume(parameters.ct))]
    if ofMr:
        facts = [(_("MR"), _volume(parameters.mr)), (_("Brain mask"), str(run.get("mask") or ""))]
    facts += [(_("Model"), f"{run.get('model', '')}  {str(run.get('sha256', ''))[:16]}")]
    facts += [(name, str(used[name])) for name in SETTINGS if name in used]
    facts += [(_("Software"), f"PETAnomaly {__version__}")]
    encoded = base64.b64encode(picture).decode("ascii")
    size = f" width='{PICTURE_WIDTH}'" if ofMr else ""
    title = _("Brain MR: reading of findings") if ofMr else _("FDG-PET/CT: reading of findings")
    parts = [
        f"<h2>{title}</h2>",
        _table(facts),
        _warnings(warningsOf(segmentation)),
        f"<h3>{_('Totals')}</h3>",
        _totalsOfMr(found, rows) if ofMr else _totals(totalsOf(found), totalsOf(rows)),
        f"<h3>{_('Reference')}</h3>{_table(references)}" if references else "",
        f"<h3>{_('Lesions')}</h3>",
        (_findingsOfMr(found) if ofMr else _findings(found)) if found else f"<p>{_('None.')}</p>",
        f"<p>{_('{n} findings are not decided.').format(n=undecided)}</p>" if undecided else "",
        f"<p><img{size} src='data:image/png;base64,{encoded}'/></p>",
        f"<p><i>{_('Research use only. Not a medical device.')}</i></p>",
    ]
    return (
        f"<html><head><meta charset='utf-8'><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _volume(node: Any) -> str:
    node = live(node)
    return describeGrid(node) if node is not None and node.GetImageData() is not None else _("none")


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{html.escape(str(text))}</li>" for text in warnings)
    return f"<h3>{_('The software warned')}</h3><ul>{items}</ul>"


def _totals(own: ReadingTotals, every: ReadingTotals) -> str:
    lines = [
        ("", _("Lesions"), _("All findings")),
        (_("Number"), str(own.count), str(every.count)),
        (_("TMTV (ml)"), f"{own.tmtv_ml:.1f}", f"{every.tmtv_ml:.1f}"),
        (_("TLG (g)"), f"{own.tlg_g:.1f}", f"{every.tlg_g:.1f}"),
        (_("SUVmax"), f"{own.suv_max:.1f}", f"{every.suv_max:.1f}"),
        (_("Dmax (cm)"), f"{own.dmax_mm / 10:.1f}", f"{every.dmax_mm / 10:.1f}"),
    ]
    return _table(lines)


def _totalsOfMr(own: Sequence[Row], every: Sequence[Row]) -> str:
    volumes = [sum(volumeMl(row.finding) for row in rows) for rows in (own, every)]
    lines = [
        ("", _("Lesions"), _("All findings")),
        (_("Number"), str(len(own)), str(len(every))),
        (_("Volume (ml)"), *(f"{ml:.1f}" for ml in volumes)),
    ]
    return _table(lines)


def _findingsOfMr(rows: Sequence[Row]) -> str:
    further = [name for name, _text in rows[0].further]
    headings = ("#", _("Volume (ml)"), _("Long (mm)"), _("Score"), *further,
                _("By hand"), _("Comment"))  # fmt: skip
    lines = [
        (
            str(row.finding.number),
            f"{row.finding.volume_ml:.1f}",
            f"{row.finding.diameter_mm:.1f}",
            f"{row.finding.score_max:.2f}",
            *(text for _name, text in row.further),
            _("yes") if row.byHand else "",
            row.comment,
        )
        for row in rows
    ]
    return _table([headings, *lines])


def _findings(rows: Sequence[Row]) -> str:
    further = [name for name, _text in rows[0].further]
    headings = (
        *("#", "SUVmax", "SUVpeak", "MTV (ml)", "TLG (g)"),
        *further,
        *(_("By hand"), _("Comment")),
    )
    lines = [
        (
            str(row.finding.number),
            f"{row.finding.suv_max:.1f}",
            f"{row.finding.suv_peak:.1f}",
            f"{row.finding.mtv_ml:.1f}",
            f"{row.finding.tlg_g:.1f}",
            *(text for _name, text in row.further),
            _("yes") if row.byHand else "",
            row.comment,
        )
        for row in rows
    ]
    return _table([headings, *lines])


def _table(lines: Sequence[Sequence[str]]) -> str:
    """The first cell of each line is its heading."""
    body = "".join(
        "<tr>"
        + f"<th>{html.escape(line[0])}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in line[1:])
        + "</tr>"
        for line in lines
    )
    return f"<table>{body}</table>"
