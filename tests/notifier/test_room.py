"""However many jobs a worker runs, so many sends are begun and not yet written down, and no more."""

import random
import threading

from notifier.room import Room, Share


def test_a_share_grows_as_far_as_there_is_room() -> None:
    room = Room(10)
    one, two = Share(room), Share(room)
    assert one.grow(7) == 7
    assert two.grow(7) == 3
    assert one.grow(9) == 7, "what it holds already is its own"
    one.keep(2)
    assert two.grow(7) == 7
    assert room.free == 1


def test_who_finds_no_room_waits_for_it() -> None:
    room = Room(4)
    one, two = Share(room), Share(room)
    one.grow(4)
    got: list[int] = []
    waiting = threading.Thread(target=lambda: got.append(two.grow(4)))
    waiting.start()
    waiting.join(0.05)
    assert got == []
    one.keep(1)
    waiting.join(5)
    assert got == [3]


def test_no_more_than_there_are_at_any_time() -> None:
    room, under_way, most, lock = Room(8), 0, 0, threading.Lock()

    def job() -> None:
        nonlocal under_way, most
        mine, held = Share(room), 0
        for _ in range(200):
            size = mine.grow(random.randint(1, 8))
            with lock:
                under_way += size - held
                most = max(most, under_way)
            held = size
            mine.keep(size)
            if random.random() < 0.3:
                with lock:
                    under_way -= held
                held = 0
                mine.keep(0)
        with lock:
            under_way -= held
        mine.keep(0)

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most <= 8
    assert (under_way, room.free) == (0, 8)
