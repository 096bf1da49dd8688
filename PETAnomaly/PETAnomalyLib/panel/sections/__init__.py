"""What is seen: the panel's sections, from top to bottom.

`study`, `model`, `engine` (folded away), `run`, `display`, `findings`. The findings' own controls:
`delineation` and `redrawing`, `triage` and `reading_keys`, `adding`, `correction` by hand, `export`
and `report`; `findings_table` lists them, `totals` adds them up. `look` and `contrast` are colours
and sizes.

May use: jobs, scene, environment.
"""
