"""Directories that are watched, and a server that shows them."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aspara
import pytest
from runyard.importing.delivery import Courier
from runyard.importing.source import Options
from runyard.transport import HttpTransport, parse_address
from runyard.watching.console import Console
from runyard.watching.loop import Watcher
from runyard.watching.memory import Memory, memory_path
from runyard.watching.roots import Root

from tests.e2e.live import LiveServer, live_server

PATIENCE_S = 30


@pytest.fixture(scope="package")
def server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


class Site:
    """A watched directory of its own project, looked at when the test says so."""

    def __init__(self, server: LiveServer, home: Path, project: str) -> None:
        self.server = server
        self.root = home / "data"
        self.root.mkdir()
        self.project = self.ask_key = project
        self.home = self.root
        self.state = home / "state"
        self.transport = HttpTransport(parse_address(server.url))
        self.watcher: Watcher | None = None
        self.memory: Memory | None = None

    def look(self) -> None:
        """Until nothing is left to bring."""
        watcher = self.watcher or self.begin()
        watcher._edits._next_at = 0.0
        end = time.monotonic() + PATIENCE_S
        watcher.step()
        while watcher._due:
            assert time.monotonic() < end, f"still due: {watcher._due}"
            watcher.step()

    def begin(self, *, forget: bool = False) -> Watcher:
        """Another watcher, as after a restart."""
        self.leave()
        path = memory_path(self.state, self.root)
        if forget:
            path.unlink(missing_ok=True)
        self.memory = Memory(path)
        courier = Courier(self.transport, self.server.url, patience_s=5)
        root = Root(self.root, self.memory, Options())
        self.watcher = Watcher([root], [courier], self.transport, Console())
        return self.watcher

    def leave(self, *, save: bool = True) -> None:
        if self.memory:
            if save:
                self.memory.save()
            self.memory.close()
        self.watcher = self.memory = None

    def start(self, name: str, **options: Any) -> Any:
        return aspara.Run(name, self.project, dir=str(self.root), **options)

    def path(self, name: str) -> Path:
        return self.root / self.project / name

    def meta(self, run: str) -> dict[str, Any]:
        return dict(json.loads(self.path(f"{run}.meta.json").read_text()))

    # ── What the server says ─────────────────────────────────────────────────

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=30)) as connection:
            headers = {"Content-Type": "application/json"}
            text = "" if body is None else json.dumps(body)
            connection.request(method, f"/api/projects/{self.project}{path}", text, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            return json.loads(content)

    def shown(self, run: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/runs/{run}"))

    def points(self, run: str) -> dict[str, list[tuple[int, float]]]:
        found = self.ask("GET", f"/runs/{run}/metrics?raw=1")["metrics"]
        return {
            name: list(zip(one["steps"], one["values"], strict=True)) for name, one in found.items()
        }

    def names(self) -> list[str]:
        return sorted(run["name"] for run in self.ask("GET", "/runs"))

    def query(self, columns: str, table: str = "run", end: str = "") -> list[Any]:
        """From what belongs to the project's runs."""
        join = f"JOIN tracking_{table} t ON t.run_id = r.id" if table != "run" else ""
        sql = f"""SELECT {columns} FROM tracking_run r {join}
                  JOIN tracking_project p ON p.id = r.project_id WHERE p.key = ? {end}"""
        path = f"file:{self.server.data_dir / 'runyard.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            return connection.execute(sql, [self.project]).fetchall()


@pytest.fixture
def site(server: LiveServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    site = Site(server, tmp_path, name[-60:])
    yield site
    site.leave()
    site.transport.close()
