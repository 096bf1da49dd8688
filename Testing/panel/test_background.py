from __future__ import annotations

import threading
import time
from typing import Any

import qt
from PETAnomalyLib.panel.background import WorkerThread
from studies import waitUntil


def test_the_result_arrives_on_the_gui_thread() -> None:
    where: list[Any] = []
    worker = WorkerThread()
    worker.start(
        lambda _work: threading.current_thread(),
        lambda result: where.append((result, threading.current_thread())),
        where.append,
    )
    assert waitUntil(lambda: bool(where))
    ran, told = where[0]
    assert ran is not threading.main_thread()
    assert told is threading.main_thread()
    assert not worker.isBusy


def test_an_exception_arrives_as_a_failure() -> None:
    failures: list[Any] = []
    worker = WorkerThread()
    worker.start(lambda _work: 1 / 0, failures.append, failures.append)
    assert waitUntil(lambda: bool(failures))
    assert isinstance(failures[0], ZeroDivisionError)


def test_stopped_work_is_never_heard_of_and_ends() -> None:
    heard: list[Any] = []
    ended = threading.Event()

    def work(ticket: Any) -> None:
        try:
            while True:
                ticket.check()
                time.sleep(0.001)
        finally:
            ended.set()

    worker = WorkerThread()
    worker.start(work, heard.append, heard.append)
    waitUntil(lambda: False, 0.05)
    worker.stop()
    assert ended.wait(2.0)
    waitUntil(lambda: False, 0.05)
    assert heard == []


def test_the_gui_keeps_ticking_while_python_code_computes_in_the_background() -> None:
    gaps = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = qt.QTimer()
    timer.setInterval(20)
    timer.timeout.connect(tick)
    done: list[Any] = []
    worker = WorkerThread()
    worker.start(lambda _work: sum(i * i for i in range(2_000_000)), done.append, done.append)
    timer.start()
    assert waitUntil(lambda: bool(done), 60)
    timer.stop()
    assert sorted(gaps)[len(gaps) // 2] < 0.1
