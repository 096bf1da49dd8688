"""The leash: a pipe on stdin that the program which started a run holds open as long as it lives.

Nothing is ever said through it. Its end - the other side closed it, crashed or was killed - is what
tells an engine that nobody is waiting for its result.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
import time

_POLL_SECONDS = 0.2


class StandardInputLeash:
    """Stdin as a leash. Make one with `StandardInputLeash.attached()`."""

    @classmethod
    def attached(cls) -> StandardInputLeash | None:
        """The leash, or None where stdin is none.

        Only a pipe or a socket that is open now is a leash. A terminal, a file, /dev/null, a closed
        descriptor, or a pipe that was at its end before the run began says nothing about the
        starter: batch systems and `nohup` start programs like that.
        """
        is_open = _windows_pipe_is_open if sys.platform == "win32" else _posix_pipe_is_open
        return cls() if is_open() else None

    def wait_until_cut(self) -> None:
        """Return when the other side has closed the pipe. What is written into it is dropped."""
        if sys.platform == "win32":
            # A thread that blocks in a read of stdin makes other threads hang while they load
            # libraries (their start-up code asks stdin for its type), so here it is polled.
            while _windows_pipe_is_open():
                time.sleep(_POLL_SECONDS)
            return
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            return


def _posix_pipe_is_open() -> bool:
    if sys.platform == "win32":
        return False
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    if stat.S_ISSOCK(mode):
        return _socket_is_open()
    if not stat.S_ISFIFO(mode):
        return False
    poll = select.poll()
    poll.register(0, select.POLLIN)
    return not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def _socket_is_open() -> bool:
    if sys.platform == "win32":
        return False
    with socket.socket(fileno=os.dup(0)) as stdin:
        try:
            return bool(stdin.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False


def _windows_pipe_is_open() -> bool:
    """Whether stdin is a pipe whose other side is open; reads away what was written into it."""
    if sys.platform != "win32":
        return False
    import ctypes
    import msvcrt

    file_type_pipe = 3
    try:
        handle = msvcrt.get_osfhandle(0)
    except OSError:
        return False
    kernel = ctypes.windll.kernel32
    pipe = ctypes.c_void_p(handle)
    if kernel.GetFileType(pipe) != file_type_pipe:
        return False
    waiting = ctypes.c_ulong(0)
    if not kernel.PeekNamedPipe(pipe, None, 0, None, ctypes.byref(waiting), None):
        return False
    if waiting.value:
        os.read(0, waiting.value)
    return True
