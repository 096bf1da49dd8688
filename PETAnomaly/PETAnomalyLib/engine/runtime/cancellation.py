"""How a run is stopped: by a signal, by the end of the program that started it, or by a request.

Nobody is stopped in the middle of a step: the run itself asks, through its reporter, whether it may
go on. Only who does not ask in time, or is asked twice, is ended from outside.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.standard_input import StandardInputLeash

GRACE_SECONDS = 2.0
"""How long a run whose starter has died may take to end politely."""


class Cancellation:
    """Whether a run has been asked to stop, and by what.

    The first SIGINT, SIGTERM or (Windows) SIGBREAK asks politely: the run ends at its next
    `check_cancelled()`. A second one ends the process at once. When the program that started the
    run dies, the pipe on stdin closes: that asks politely too, and ends the process after a grace
    period. Ending at once means: `abandon` is called, which removes temporary output, then
    `os._exit(4)`.

    A run computes for seconds inside one call of a numerical library, and Python runs signal
    handlers only between its own instructions. So a thread reads the signals from the wake-up
    descriptor, and a second Ctrl-C works in the middle of a convolution as well.

    Args:
        abandon: removes temporary output; called on another thread than the run's.
    """

    def __init__(self, abandon: Callable[[], None] = lambda: None) -> None:
        self._requested = threading.Event()
        self._abandon = abandon
        self._reason = "Stopped on request."

    def request(self, reason: str = "Stopped on request.") -> None:
        """Ask the run to stop at its next `check()`."""
        if not self._requested.is_set():
            self._reason = reason
            self._requested.set()

    def check(self) -> None:
        """Raises:
        Cancelled: when somebody has asked the run to stop.
        """
        if self._requested.is_set():
            raise Cancelled(self._reason, "Of what was under way nothing was written.")

    def end_now(self) -> None:
        """Remove temporary output and end this process without unwinding it."""
        with contextlib.suppress(Exception):
            self._abandon()
        os._exit(Cancelled.exit_code)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """While inside, interrupt and termination signals are requests to this object."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers; a caller elsewhere has its own
            return
        names = ("SIGINT", "SIGTERM", "SIGBREAK")
        watched = [getattr(signal, name) for name in names if hasattr(signal, name)]
        receiver, sender = socket.socketpair()
        sender.setblocking(False)
        earlier_wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        # A handler must be there, or the signal would do its default; the thread does the work.
        earlier = {number: signal.signal(number, lambda *_: None) for number in watched}
        watcher = threading.Thread(
            target=self._watch_signals, args=(receiver, set(watched)), name="signals", daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(earlier_wakeup)
            sender.close()  # the watcher reads the end of the stream and returns
            watcher.join()
            receiver.close()

    @contextlib.contextmanager
    def on_closed_stdin(self, grace_seconds: float = GRACE_SECONDS) -> Iterator[None]:
        """While inside, the end of the pipe on stdin means: whoever started this run is gone."""
        leash = StandardInputLeash.attached()
        if leash is None:
            yield
            return
        ended = threading.Event()
        threading.Thread(
            target=self._watch_leash, args=(leash, ended, grace_seconds), name="leash", daemon=True
        ).start()
        try:
            yield
        finally:
            ended.set()

    def _watch_signals(self, receiver: socket.socket, watched: set[int]) -> None:
        received = 0
        while data := receiver.recv(16):
            received += sum(1 for number in data if number in watched)
            if received == 1:
                self.request()
            elif received > 1:
                self.end_now()

    def _watch_leash(
        self, leash: StandardInputLeash, ended: threading.Event, grace_seconds: float
    ) -> None:
        leash.wait_until_cut()
        self.request("Stopped because the program that started this run has ended.")
        if not ended.wait(grace_seconds):
            self.end_now()
