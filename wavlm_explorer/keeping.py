"""What was made for an object and may be asked for again: kept beside the object, and let go with it."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

Thing = TypeVar("Thing")


class Keeper(Generic[Thing]):
    """Keeps things for traces or models as long as these live; many threads may ask.

    Of things that were made under several subjects, such as frames of a clip, only those of the latest are kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Any, tuple[Hashable, dict[Hashable, Thing]]] = WeakKeyDictionary()

    def find(self, owner: Any, subject: Hashable = None, name: Hashable = None) -> Thing | None:
        """Return what is kept for an owner under a subject and a name; None where there is nothing."""
        with self._lock:
            latest, things = self._kept.get(owner, (subject, {}))
            return things.get(name) if latest == subject else None

    def recall(self, owner: Any, make: Callable[[], Thing], subject: Hashable = None, name: Hashable = None) -> Thing:
        """Return what is kept for an owner under a subject and a name, or make it. Two at once may both make it."""
        with self._lock:
            latest, things = self._kept.get(owner, (subject, {}))
            if latest == subject and name in things:
                return things[name]
        thing = make()
        with self._lock:
            latest, things = self._kept.get(owner, (subject, {}))
            self._kept[owner] = subject, {**(things if latest == subject else {}), name: thing}
        return thing
