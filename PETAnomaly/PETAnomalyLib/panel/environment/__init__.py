"""What is on this computer: Python interpreters, packages and how to install them, models.

May use: no other room of the panel.
"""
