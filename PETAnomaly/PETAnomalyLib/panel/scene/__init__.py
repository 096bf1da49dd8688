"""Nodes in the MRML scene: volumes in and out, results, findings, and how they are looked at.

Files and nodes: `volume_files`, `volume_nodes`, `result_files`, `result_nodes`; what a chosen
volume is: `inputs`. The findings and all that changes them: `findings`, kept in
`findings_segmentation` and `findings_table_node`, drawn by `drawing`, corrected in
`segment_editor`, watched by `edit_watch`. Looking: `slice_views`, `view_3d`, `windows`.

May use: environment.
"""
