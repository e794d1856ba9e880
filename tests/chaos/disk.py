"""A disk that fills up under the database, and has room again. Only root can give it one of its own."""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos.findings import Finding
from tests.chaos.ingest import PROJECT, SENDERS, Sender, count_acknowledged, end
from tests.chaos.stage import LIMIT_S, Stage
from tests.chaos.visitors import tell, visiting, wait_for_all
from tests.e2e.live import wait_until
from tests.services.postgres import Postgres, database, postgres

DISK = "400m"
BLOCK_BYTES = 4096
PAUSE_S = 0.05
RECOVERY_S = 10.0
FULL_S = (1, 4)


class Disk:
    """A file system in memory, and a file that fills it up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(BLOCK_BYTES * 64 if self._free() > 2**20 else BLOCK_BYTES))
            except OSError:
                pass

    def empty(self) -> None:
        self._ballast.unlink()

    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    folder.parent.chmod(0o711)  # PostgreSQL runs as somebody else
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    folder.chmod(0o755)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def run(stage: Stage) -> Finding:
    faults: Counter[str] = Counter()
    count, said = 0, []
    for name, serve in (("SQLite", _on_sqlite), ("PostgreSQL", _on_postgres)):
        with ExitStack() as stack:
            disk = stack.enter_context(small_disk(stage.folder / name))
            here, base = stack.enter_context(serve(stage, disk))
            points, found, detail = _fill_often(here, disk, base)
        faults.update(found)
        count += points
        said.append(f"{name}: {detail}")
    test = "acknowledged points over a full disk under the database"
    return Finding(test, dict(faults), count, "acknowledged points", "; ".join(said))


@contextmanager
def _on_sqlite(stage: Stage, disk: Disk) -> Iterator[tuple[Stage, None]]:
    with stage.serving(disk.folder) as one:
        yield one, None


@contextmanager
def _on_postgres(stage: Stage, disk: Disk) -> Iterator[tuple[Stage, Postgres]]:
    with (
        postgres(disk.folder) as base,
        database(base, "chaos") as url,
        stage.serving(DATABASE_URL=url) as one,
    ):
        yield one, base


def _fill_often(stage: Stage, disk: Disk, base: Postgres | None) -> tuple[int, dict[str, int], str]:
    senders = [Sender(number, stage.server.port, PAUSE_S) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    wait_until(lambda: all(one.acked_rows for one in senders), LIMIT_S, "all have begun")
    times_s, ends = [], 0
    with visiting(stage.server.port, PROJECT, "sender-0") as visitors:
        for _ in range(stage.choose(2, 10)):
            stage.pause(0.3, 1)
            _fill(disk, senders)
            stage.pause(*FULL_S)
            disk.empty()
            if base and base.has_ended:  # it gives up where it finds no room to recover in
                ends += 1
                base.start_again()
            times_s.append(wait_for_all(senders, visitors[0]))
    end(senders)
    tally, faults = count_acknowledged(stage, senders)
    wrong_answers, said = tell(visitors)
    late = sum(took_s > RECOVERY_S for took_s in times_s)
    found = {**faults, "wrong answers": wrong_answers, "late recoveries": late}
    words = [f"{len(times_s)} times full, slowest recovery {max(times_s):.1f} s", said]
    words += sorted(set().union(*(one.reasons for one in senders)))
    words += [f"started again by its supervisor {ends} times"] * bool(ends)
    return tally.count, found, ", ".join([*words, *(one.error for one in senders if one.error)])


def _fill(disk: Disk, senders: list[Sender]) -> None:
    """Until batches are refused: a database has room put by."""
    before = sum(one.refused for one in senders)
    until = time.monotonic() + LIMIT_S
    while sum(one.refused for one in senders) == before:
        assert time.monotonic() < until, "nothing was refused on a full disk"
        disk.fill()
        time.sleep(0.1)
