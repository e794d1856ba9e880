"""kill -9 of the server in the middle of an artifact's upload."""

import hashlib
import threading
from pathlib import Path

from tests.chaos.findings import Finding
from tests.chaos.points import Tally, query, read_points, read_statuses
from tests.chaos.proxy import Proxy
from tests.chaos.stage import LIMIT_S, Stage, job, sync

PROJECT, RUN = "uploads", "with-a-file"
STEPS = 200
LATE_SHARE = 0.5  # of the kills come when all bytes are there and the server is at work on them
LATE_S = 0.25
ARTIFACTS = """
    SELECT artifact.storage_key FROM tracking_artifact artifact
    JOIN tracking_run run ON run.id = artifact.run_id
    JOIN tracking_project project ON project.id = run.project_id
    WHERE project.key = ? AND artifact.deleted_at IS NULL
"""


class Saboteur:
    """Kills the server at a place in the next upload, as often as asked."""

    def __init__(self, stage: Stage, kills: int) -> None:
        self.stage = stage
        self.left = kills
        self.has_killed = threading.Event()
        self._draw()

    def _draw(self) -> None:
        is_late = self.stage.random.random() < LATE_SHARE
        self._share = 1.0 if is_late else self.stage.random.random()
        self._delay_s = self.stage.random.uniform(0, LATE_S) if is_late else 0.0
        self._is_ready = self.left > 0

    def watch(self, path: str, sent: int, size: int) -> None:
        if self._is_ready and path.endswith("/artifacts") and sent >= self._share * size:
            self._is_ready = False
            threading.Timer(self._delay_s, self._kill).start()

    def _kill(self) -> None:
        self.stage.server.kill()
        self.has_killed.set()

    def is_at_work(self, path: str) -> bool:
        """No upload is told of its success while there are kills left."""
        return self.left > 0 and path.endswith("/artifacts")

    def revive(self) -> None:
        self.has_killed.clear()
        self.stage.server.start()
        self.left -= 1
        self._draw()


def run(stage: Stage) -> Finding:
    kills, size = stage.choose(2, 20), stage.choose(16, 64) * 1024**2
    content = stage.random.randbytes(size)
    path = stage.folder / "model.bin"
    path.write_bytes(content)
    saboteur, root = Saboteur(stage, kills), stage.folder / "uploads"
    shelf = Shelf(stage.server.data_dir, hashlib.sha256(content).hexdigest())
    with Proxy(stage.server.port, drops_reply=saboteur.is_at_work, on_sent=saboteur.watch) as proxy:
        words, limit_s = (PROJECT, RUN, path), LIMIT_S * (1 + kills)
        patience = {"limit_s": limit_s, "RUNYARD_EXIT_DEADLINE": str(limit_s)}
        with job("uploads", proxy.url, root, *words, **patience) as one:
            for _ in range(kills):
                assert saboteur.has_killed.wait(LIMIT_S), one.log.read_text()
                shelf.look()
                saboteur.revive()
            code = one.end()
        left = sync(root)
    shelf.look()
    ends = {"jobs with an exception": int(code != 0), "spools left": left}
    return _count(stage, shelf, ends, kills)


class Shelf:
    """Where the server keeps files, looked at from outside."""

    def __init__(self, data_dir: Path, sha256: str) -> None:
        self._data_dir = data_dir
        self._sha256 = sha256
        self.homeless_rows = 0  # without their whole file
        self.half_files = 0  # under a final name

    def look(self) -> None:
        files = {path.name: self._is_whole(path) for path in self._files() if not is_draft(path)}
        rows = self._rows()
        self.half_files += sum(not is_whole for is_whole in files.values())
        self.homeless_rows += sum(not files.get(Path(key).name) for key in rows)

    @property
    def missing(self) -> int:
        return abs(1 - len(self._rows()))

    @property
    def leftovers(self) -> int:
        """Files that no row knows: of no harm but for their room."""
        return len(self._files()) - len(self._rows())

    def _rows(self) -> list[str]:
        return [key for (key,) in query(self._data_dir, ARTIFACTS, PROJECT)]

    def _files(self) -> list[Path]:
        return [path for path in (self._data_dir / "artifacts").rglob("*") if path.is_file()]

    def _is_whole(self, path: Path) -> bool:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self._sha256


def is_draft(path: Path) -> bool:
    return path.parent.name == "incoming"


def _count(stage: Stage, shelf: Shelf, ends: dict[str, int], kills: int) -> Finding:
    tally, points = Tally(), read_points(stage.server.data_dir, PROJECT)
    tally.add(points.get((RUN, "m0")), 0, STEPS)
    status = read_statuses(stage.server.data_dir, PROJECT).get(RUN)
    faults = {
        "rows without their file": shelf.homeless_rows,
        "half files": shelf.half_files,
        "files missing": shelf.missing,
        **ends,
        **tally.faults,
        "wrong statuses": int(status != "completed"),
        "store faults": stage.store_faults(),
    }
    test = "kill -9 of the server in the middle of an artifact's upload"
    detail = (
        f"{tally.count} points logged beside it; {shelf.leftovers} files left that no row knows"
    )
    return Finding(test, faults, kills, "kills", detail)
