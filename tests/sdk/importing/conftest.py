"""Experiments on disk, as ML-Dash's original client leaves them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.scripted import ScriptedTransport

BEGIN = "2026-01-02T03:04:05.000000Z"


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def make_experiment(root: Path, prefix: str = "alice/vision/a/b/exp", **words: Any) -> Path:
    home = root / prefix.strip("/")
    parts = prefix.strip("/").split("/")
    about = {"name": parts[-1], "project": (parts * 2)[1], "prefix": prefix, "created_at": BEGIN}
    write_json(home / "experiment.json", {**about, "tags": [], "bindrs": [], **words})
    return home


def row(index: int, **data: Any) -> dict[str, Any]:
    time = f"2026-01-02T03:{index // 60 % 60:02}:{index % 60:02}.000000Z"
    return {"index": index, "data": data, "createdAt": time}


def write_rows(home: Path, stream: str, count: int, first: int = 0) -> None:
    rows = (row(n, loss=n / 8, _ts=1_767_323_045.5 + n) for n in range(first, first + count))
    write_lines(home / "metrics" / stream / "data.jsonl", rows)


def write_log(home: Path, count: int) -> None:
    lines = (
        {"sequenceNumber": n, "timestamp": BEGIN, "level": "warn", "message": f"line {n}"}
        for n in range(count)
    )
    write_lines(home / "logs" / "logs.jsonl", lines)


def write_file(
    home: Path, file_id: str, path: str, name: str, content: bytes, **words: Any
) -> None:
    target = home / "files" / path.strip("/") / file_id / name
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    listed = home / "files" / ".files_metadata.json"
    files = json.loads(listed.read_text())["files"] if listed.exists() else []
    entry = {"id": file_id, "path": path, "filename": name, "deletedAt": None, **words}
    write_json(listed, {"files": [*files, entry]})


class AskingTransport(ScriptedTransport):
    """One that nobody has an answer for."""

    def request(self, method: str, path: str) -> Any:
        raise AssertionError(f"{method} {path}")


@pytest.fixture
def transport() -> AskingTransport:
    return AskingTransport()
