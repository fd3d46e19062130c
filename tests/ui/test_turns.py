"""Sessions take turns, and a long task lets shorter ones through."""

import threading

import pytest

from wavlm_explorer.ui import turns
from wavlm_explorer.ui.turns import Turns


def in_background(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_one_at_a_time_in_the_order_of_asking():
    queue, done, at_work = Turns(), [], []

    def work(name: int) -> None:
        with queue.turn():
            at_work.append(name)
            assert len(at_work) == 1
            done.append(at_work.pop())

    with queue.turn():
        threads = []
        for name in range(4):
            threads.append(in_background(lambda name=name: work(name)))
            while len(queue._queue) < name + 2:
                pass
    for thread in threads:
        thread.join(timeout=10)
    assert done == [0, 1, 2, 3]


def test_a_long_task_lets_a_short_one_through():
    queue, order = Turns(), []
    with queue.turn():
        order.append("long begins")
        short = in_background(lambda: _note(queue, order))
        while len(queue._queue) < 2:
            pass
        queue.pass_on()
        order.append("long ends")
    short.join(timeout=10)
    assert order == ["long begins", "short", "long ends"]
    with queue.turn():
        queue.pass_on()  # nobody waits: it goes on at once


def _note(queue: Turns, order: list[str]) -> None:
    with queue.turn():
        order.append("short")


def test_who_gives_up_waiting_leaves_the_queue(monkeypatch):
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.01)
    queue, failures = Turns(), []

    def give_up() -> None:
        raise TimeoutError

    def wait() -> None:
        with pytest.raises(TimeoutError), queue.turn(give_up):
            failures.append("it was not its turn")

    with queue.turn():
        in_background(wait).join(timeout=10)
        assert len(queue._queue) == 1
    assert failures == []
    assert not queue._queue
