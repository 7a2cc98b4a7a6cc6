"""How many sends of a process are begun and not yet written down: what a worker that dies leaves as unknown."""

from threading import Condition


class Room:
    """For so many sends of a process there is room between being begun and being written down."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.changed = Condition()


class Share:
    """The part of the room that one job holds. What it has written down makes room for what it begins."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = 0

    def grow(self, wanted: int) -> int:
        """How many of `wanted` may begin, in room that is free or held by what is written down in the same step.

        Waits until there is one.
        """
        with self._room.changed:
            while not self._held + self._room.free:
                self._room.changed.wait()
            size = min(wanted, self._held + self._room.free)
            self._room.free -= max(0, size - self._held)
            self._held = max(size, self._held)
            return size

    def keep(self, size: int) -> None:
        """Let go of all but `size`."""
        with self._room.changed:
            self._room.free += self._held - size
            self._held = size
            self._room.changed.notify_all()
