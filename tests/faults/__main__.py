"""`python -m tests.faults [--short] [--deliveries N] [--rounds N] [--only FAULT …]`: what goes wrong while notices are
sent, and what arrives all the same.

The workers and the clock are the product's own processes, on an embedded PostgreSQL in a folder that is removed at the
end. The exit code is 1 when something was lost, or arrived twice.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.field import Fate, set_up
from tests.faults.rounds import FAULTS

KILLED = next(iter(FAULTS))
HEAD = ("", "planned", "sent", "unknown", "arrived", "twice", "lost", "astray", "seconds")
SHORT = ("workers are killed", "a clock is hours ahead", "answers are lost", "PostgreSQL crashes and starts again")


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="trolydien-faults-")).absolute()
    right, began = True, time.monotonic()
    try:
        with set_up(folder) as scene:
            _print(HEAD)
            for name in _plan(options):
                scene.control()
                fate = FAULTS[name](scene, options.deliveries)
                right &= fate.is_right
                _print((name, *_cells(fate)))
    except TimeoutError as error:
        print(f"✗ {error}\n{_logs(folder)}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{scene.restarted} processes ended by themselves; {time.monotonic() - began:.0f} s, load average {load}")
    return 0 if right else 1


def _plan(options: argparse.Namespace) -> Iterator[str]:
    for name in options.only:
        yield from [name] * (options.rounds if name == KILLED else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break things while notices are sent.")
    parser.add_argument("--short", action="store_true", help="half a minute instead of half an hour")
    parser.add_argument("--deliveries", type=int, help="of each run (20,000; short: 600)")
    parser.add_argument("--rounds", type=int, help="in which a worker is killed (20; short: 2)")
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), help="these faults alone")
    options = parser.parse_args()
    options.deliveries = (options.deliveries or (600 if options.short else 20_000)) // 3 * 3
    options.rounds = options.rounds or (2 if options.short else 20)
    options.only = options.only or (SHORT if options.short else tuple(FAULTS))
    return options


def _cells(fate: Fate) -> tuple[str, ...]:
    figures = (fate.planned, fate.sent, fate.unknown, fate.arrived, fate.twice, fate.lost, fate.astray)
    return *(f"{figure:,}" for figure in figures), f"{fate.seconds:.1f}"


def _print(cells: tuple[str, ...]) -> None:
    print(cells[0].ljust(38) + "".join(cell.rjust(9) for cell in cells[1:]), flush=True)


def _logs(folder: Path) -> str:
    return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in sorted((folder / "logs").glob("*.log")))


if __name__ == "__main__":
    sys.exit(main())
