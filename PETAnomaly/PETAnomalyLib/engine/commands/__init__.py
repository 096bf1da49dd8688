"""The subcommands of `petanomaly`, a family of them a file.

Each file has functions that add subcommands to the parser and set two defaults on them:
`run(options, reporter)`, and `cancellable`: it asks `reporter.check_cancelled()` as it goes.
Everything heavy (torch, the image libraries) is imported when a command runs, not before. May use
every room; only `cli.py` and `demo.py` stand above.
"""
