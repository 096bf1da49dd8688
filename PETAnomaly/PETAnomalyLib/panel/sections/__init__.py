"""What is seen: the panel's sections, from top to bottom.

`study`, `model`, `engine` (folded away), `run`, `display`, `findings`. The findings' own controls:
`delineation` and `redrawing`, `correction` by hand, `export`; `findings_table` lists them.

May use: jobs, scene, environment.
"""
