"""`runyard import` of a million points from TensorBoard and from CSV, beside reading them alone."""

import csv
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from runyard.importing.event_files import HEAD, LENGTH, SUM, masked_crc

from tests.bench.measure import Figure, best_of

POINTS = 1_000_000
SAMPLE = 100_000  # TensorBoard's reader takes half a minute for all of them
METRICS = 4
BEGUN = 1_767_225_600


def write_events(home: Path) -> Path:
    """Four scalars of each step, as PyTorch writes them: 50 bytes a point."""
    from tensorboard.compat.proto.event_pb2 import Event

    home.mkdir()
    path = home / "events.out.tfevents.1767225600.host"
    event = Event(wall_time=BEGUN, file_version="brain.Event:2")
    with path.open("wb") as file:
        file.write(frame(event.SerializeToString()))
        event = Event()
        value = event.summary.value.add()
        for n in range(POINTS):
            event.wall_time, event.step = BEGUN + n / 100, n // METRICS
            value.tag, value.simple_value = f"train/metric{n % METRICS}", 1 / (n + 1)
            file.write(frame(event.SerializeToString()))
    return path


def frame(body: bytes) -> bytes:
    head = HEAD.pack(len(body), masked_crc(LENGTH.pack(len(body))))
    return head + body + SUM.pack(masked_crc(body))


def write_table(path: Path) -> Path:
    with path.open("w") as file:
        file.write("step,timestamp,loss,accuracy,rate,norm\n")
        for n in range(POINTS // METRICS):
            values = f"{1 / (n + 1)!r},{n * 1e-6!r},{1 / (n + 7)!r},{n % 7 / 3!r}"
            file.write(f"{n},{BEGUN + n / 100!r},{values}\n")
    return path


def read_events(path: Path) -> None:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for _ in islice(EventFileLoader(str(path)).Load(), SAMPLE):
        pass


def read_table(path: Path) -> None:
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            list(map(float, row))


def figures(folder: Path, bring: Callable[[Path], tuple[float, float]]) -> list[Figure]:
    """`bring` imports a path: seconds, and the most memory it had in MB."""
    events, table = write_events(folder / "board"), write_table(folder / "table.csv")
    events_floor = SAMPLE / best_of(1, lambda: read_events(events))
    table_floor = POINTS / best_of(1, lambda: read_table(table))
    of_events, of_table = "TensorBoard's reader", "csv.reader and float"
    events_s, events_mb = bring(events)
    table_s, table_mb = bring(table)
    size_mb = (events.stat().st_size / 1e6, table.stat().st_size / 1e6)
    return [
        _rate("import of event files", events_s, of_events, events_floor, "≥ 0.5"),
        _rate("import of a CSV file", table_s, of_table, table_floor, "≥ 0.05"),
        Figure(
            "memory, event files", events_mb, "MB", "size of the file", size_mb[0], "≤ 3", POINTS
        ),
        Figure("memory, a CSV file", table_mb, "MB", "size of the file", size_mb[1], "≤ 3", POINTS),
    ]


def _rate(name: str, seconds: float, floor_name: str, floor: float, target: str) -> Figure:
    return Figure(name, POINTS / seconds, "points/s", floor_name, floor, target, POINTS)
