"""Who may compute: models and traces are large, so sessions take turns, and a long task lets shorter ones through."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.3  # how often one who waits looks around, to be stopped if its visitor has gone


class Turns:
    """A queue of threads, of which the first may work."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[int] = deque()

    @contextmanager
    def turn(self, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Wait for the own turn, calling `waiting` now and then; it ends with the block."""
        with self._changed:
            self._queue.append(threading.get_ident())
        try:
            self._wait(waiting)
            yield
        finally:
            with self._changed:
                self._queue.remove(threading.get_ident())
                self._changed.notify_all()

    def pass_on(self, waiting: Callable[[], object] = lambda: None) -> None:
        """Within the own turn: let those who wait have theirs first."""
        with self._changed:
            self._queue.rotate(-1)
            self._changed.notify_all()
        self._wait(waiting)

    def _wait(self, waiting: Callable[[], object]) -> None:
        while True:
            with self._changed:
                if self._changed.wait_for(self._is_mine, LOOK_SECONDS):
                    return
            waiting()

    def _is_mine(self) -> bool:
        return self._queue[0] == threading.get_ident()


ONE_AT_A_TIME = Turns()
