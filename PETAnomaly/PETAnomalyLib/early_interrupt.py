"""A signal before the command line listens: nothing has been done yet, so the process just ends.

Imported right after `import_path`, in a process that runs the engine only. From here to `cli.main`
are some tenths of a second of imports, in which Ctrl-C would be a traceback.
"""

# No import of the engine: this comes before all of them.
import contextlib
import json
import os
import signal
import sys
import threading

from PETAnomalyLib.import_path import is_program

CANCELLED = 4


def _end(*_: object) -> None:
    if "--events" in sys.argv:
        event = {"event": "error", "kind": "cancelled", "message": "Stopped on request."}
        line = json.dumps({**event, "hint": "Nothing was written."}) + "\n"
        with contextlib.suppress(OSError):
            os.write(1, line.encode())
    os._exit(CANCELLED)


if is_program() and threading.current_thread() is threading.main_thread():
    for _number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(_number) is not signal.SIG_IGN:  # as nohup asks for
            signal.signal(_number, _end)
