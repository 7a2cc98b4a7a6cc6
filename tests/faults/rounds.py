"""What goes wrong, once in the middle of a run each; see `Fate` for what must hold after it."""

import random
import time
from collections.abc import Callable
from datetime import timedelta

from tests.faults.field import Fate, Field, restart_postgresql
from tests.faults.provider import Behaviour

SILENT_SECONDS = Behaviour().silent_seconds
HOURS_AHEAD = timedelta(hours=5)


def killed(scene: Field, count: int) -> Fate:
    """One worker or all of them, at any moment, with kill -9; others take their place."""
    scene.control(answer_seconds=0.1)
    began = _begin(scene, count)
    scene.until_arrived(random.randint(1, count * 3 // 4))
    victims = random.choice([scene.workers(), [random.choice(scene.workers())]])
    for victim in victims:
        scene.kill(victim)
    for victim in victims:
        scene.start(victim, "worker")
    return scene.finish(count, began)


def database_restarted(scene: Field, count: int) -> Fate:
    began = _begin(scene, count)
    scene.until_arrived(random.randint(1, count // 2))
    restart_postgresql(scene.folder)
    return scene.finish(count, began)


def answers_lost(scene: Field, count: int) -> Fate:
    """The provider takes one of twenty and breaks off the connection."""
    scene.control(lose_every=20)
    return scene.finish(count, _begin(scene, count))


def silence(scene: Field, count: int) -> Fate:
    """The provider takes one of three hundred and does not answer for longer than we wait."""
    scene.control(silent_every=300)
    return scene.finish(count, _begin(scene, count), quiet=SILENT_SECONDS + 1)


def pages_twice(scene: Field, count: int) -> Fate:
    """Pages that overlap, read by two pollers and planned by two planners."""
    began = time.monotonic()
    scene.publish(count, overlapping=True)
    return scene.finish(count, began)


def two_clocks(scene: Field, count: int) -> Fate:
    scene.start("notifier-2", "notifier")
    try:
        return scene.finish(count, _begin(scene, count))
    finally:
        scene.kill("notifier-2")


def clock_ahead(scene: Field, count: int) -> Fate:
    """One worker's clock jumps by hours: to it every lease of the others has run out."""
    scene.control(answer_seconds=0.1)
    first, *_ = scene.workers()
    scene.kill(first)
    began = _begin(scene, count)
    scene.start(first, "worker", ahead=HOURS_AHEAD)
    try:
        return scene.finish(count, began, meanwhile=lambda: scene.tick("rescue_lost_replies"))
    finally:
        scene.kill(first)
        scene.start(first, "worker")


def token_expired(scene: Field, count: int) -> Fate:
    """Everything is refused for a while."""
    began = _begin(scene, count)
    scene.until_arrived(random.randint(1, count // 2))
    scene.control(is_dead=True)
    time.sleep(1)
    scene.control()
    return scene.finish(count, began)


def _begin(scene: Field, count: int) -> float:
    began = time.monotonic()
    scene.publish(count)
    return began


Fault = Callable[[Field, int], Fate]
FAULTS: dict[str, Fault] = {
    "workers are killed": killed,
    "PostgreSQL crashes and starts again": database_restarted,
    "answers are lost": answers_lost,
    "the provider falls silent": silence,
    "feed pages come twice, to two": pages_twice,
    "two clocks tick": two_clocks,
    "a clock is hours ahead": clock_ahead,
    "the token expires": token_expired,
}
