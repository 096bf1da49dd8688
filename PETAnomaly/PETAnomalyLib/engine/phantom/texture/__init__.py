"""Synthetic pictures of surfaces and objects with known defects, in the layout of MVTec AD.

Five categories, drawn by formula, that differ as MVTec AD's leather, grid, tile, cable and metal
nut do: two textures without order, one of fine order, two objects in their place. May use: what
`phantom` may use, and its files.
"""
