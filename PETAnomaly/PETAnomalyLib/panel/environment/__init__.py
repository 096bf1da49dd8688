"""What is on this computer: Python interpreters, packages and how to install them, models.

`interpreter` chooses the engine's Python, `inspection` asks it what it has (`probe` is what runs in
it), `installer` brings what is missing from `package_sources`; `readiness` is these in their order.
`models` are the pretrained ones that are installed.

May use: no other room of the panel.
"""
