"""Nodes in the MRML scene: volumes in and out, results, findings, and how they are looked at.

Files and nodes: `volume_files`, `volume_nodes`, `result_files`, `result_nodes`, `run_record`; what
a chosen volume is: `inputs` and `head_inputs`, and what becomes of it: `volume_watch`.

The findings, of a PET or an MR (`finding_kinds`), and all that changes them: `findings`, kept in
`findings_segmentation`, `finding_tags` and `findings_table_node`, drawn by `drawing` (`carry_over`
keeps what was said), watched by `edit_watch`, corrected in `segment_editor`, added by `adding`
(`spot_picker`, `spot_preview`), merged and split by `reshaping`, taken back by `steps`; `totals`
adds them up, `report` writes them.

Looking: `slice_views`, `view_3d`, `surfaces`, `reading_layout`, `windows`, `ct_windows`,
`colour_bars`, `hatching`, `verdict_display`, `mip_picture`, `head_picture`.

May use: environment.
"""
