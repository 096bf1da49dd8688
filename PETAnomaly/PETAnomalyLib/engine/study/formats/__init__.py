"""The image files that are read: NIfTI, NRRD and MetaImage.

Each header is read as what it is, text or a fixed layout, and believed in nothing: what it promises
is compared with the bytes that are there before memory is taken for it. The bytes that were checked
are the bytes that become the image: a file is opened once, and no other file of a similar name is.

May use: `study/input_path.py`, and what that may use.
"""
