"""What cannot be read is named with the reason, and the exit code says so."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main

from tests.sdk.importing.conftest import make_experiment, write_rows
from tests.sdk.importing.reading import RECORDED, Reading
from tests.sdk.importing.test_mlflow import make_database

ROWS = "step,loss\n1,0.5\n2,0.25\n"


def import_dry(capsys: pytest.CaptureFixture[str], *paths: Path) -> tuple[int, list[Any]]:
    """The exit code, and what was left out."""
    code = main(["import", *map(str, paths), "--dry-run", "--json"])
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    return code, [(problem["place"], problem["reason"]) for problem in left_out]


def make_half_database(folder: Path) -> Path:
    path = make_database(folder) / "mlflow.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def maker(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


BROKEN = {
    "half a database": (make_half_database, "it is damaged: database disk image is malformed"),
    "a database's head": (
        maker("x.db", b"SQLite format 3\0" + bytes(40)),
        "it is damaged: file is not a database",
    ),
    "no database": (maker("x.db", b"rubbish" * 100), "it is no SQLite database"),
    "an empty database": (maker("x.sqlite3", b""), "it is empty"),
    "an empty table": (maker("x.csv", b""), "it is empty"),
    "a binary table": (
        maker("x.csv", bytes(range(256))),
        "it is no text in UTF-8, nor marked as UTF-16: it has zero bytes",
    ),
    "UTF-16 without a mark": (
        maker("x.csv", ROWS.encode("utf-16-le")),
        "it is no text in UTF-8, nor marked as UTF-16: it has zero bytes",
    ),
    "a long name": (
        maker("x.csv", b"step," + b"x" * 200_000 + b"\n1,2\n"),
        "its first line cannot be read: field larger than field limit (131072)",
    ),
    "an empty Parquet": (maker("x.parquet", b""), "Parquet file size is 0 bytes"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    make, reason = BROKEN[kind]
    path = make(tmp_path)

    assert import_dry(capsys, path) == (1, [(str(path), reason)])


def test_a_damaged_database_is_found_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_half_database(tmp_path)

    code, left_out = import_dry(capsys, path.parent)

    assert code == 1
    assert (str(path), "it is damaged: database disk image is malformed") in left_out


def test_another_damaged_database_hides_no_other_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    (tmp_path / "cache.db").write_bytes(b"SQLite format 3\0")

    assert import_dry(capsys, tmp_path) == (0, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_marked_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text(ROWS.replace("loss", "löss"), encoding)

    reading = Reading(tmp_path / "a.csv")

    assert reading.run.points == {"löss": [(1, 0.5), (2, 0.25)]}
    assert reading.told == []


def test_a_packed_table_is_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as file:
        file.write(ROWS)

    reading = Reading(tmp_path / "a.csv.gz")

    assert reading.runs.keys() == {f"{tmp_path.name}/a"}
    assert reading.run.points == {"loss": [(1, 0.5), (2, 0.25)]}
    assert reading.told == []


def test_of_a_torn_packed_table_the_rows_before_are_taken(tmp_path: Path) -> None:
    rows = "".join(f"{step},{step * 7919 % 1009}\n" for step in range(20_000))
    packed = gzip.compress(f"step,loss\n{rows}".encode())
    (tmp_path / "a.csv.gz").write_bytes(packed[: len(packed) // 2])

    reading = Reading(tmp_path / "a.csv.gz")

    assert len(reading.run.points["loss"]) > 1_000
    [(reason, is_loss)] = reading.told
    assert reason.startswith("what follows cannot be unpacked")
    assert is_loss


def test_half_a_parquet_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"step": range(500), "loss": [0.5] * 500}), path)
    path.write_bytes(path.read_bytes()[:-100])

    code, [(place, reason)] = import_dry(capsys, path)

    assert (code, place) == (1, str(path))
    assert "magic bytes not found" in reason


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"", 0, "no values in it"),
        (b"torn", 0, "the last event is cut short"),
        (b"rubbish" * 100, 1, "damaged at byte 0; what follows cannot be read"),
    ],
)
def test_an_event_file_without_events_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, code: int, reason: str
) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(content)

    told, [(_, said)] = import_dry(capsys, tmp_path)

    assert (told, said.split(": ")[-1]) == (code, reason)


def forbid(monkeypatch: pytest.MonkeyPatch, forbidden: Path) -> None:
    """As if nobody might look into it: root may look into all."""
    look = os.scandir

    def scandir(path: Any = ".") -> Any:
        if os.fspath(path) == os.fspath(forbidden):
            raise PermissionError(13, "Permission denied", os.fspath(forbidden))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)


def make_tables(folder: Path) -> None:
    for home in (folder, folder / "closed"):
        home.mkdir(exist_ok=True)
        (home / "a.csv").write_text(ROWS)


def make_board(folder: Path) -> None:
    event_file = next((RECORDED / "tensorboard").rglob("*tfevents*"))
    for home in (folder, folder / "closed"):
        home.mkdir(exist_ok=True)
        (home / event_file.name).write_bytes(event_file.read_bytes())


def make_dash(folder: Path) -> None:
    write_rows(make_experiment(folder, "alice/p/exp"), "train", 1)
    write_rows(make_experiment(folder, "closed/p/exp"), "train", 1)


@pytest.mark.parametrize("make", [make_tables, make_board, make_dash])
def test_a_closed_directory_is_named_and_the_rest_is_read(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
) -> None:
    make(tmp_path)
    forbid(monkeypatch, tmp_path / "closed")

    code = main(["import", str(tmp_path), "--dry-run", "--json"])

    report = json.loads(capsys.readouterr().out)
    assert code == 1
    assert len(report["runs"]) == 1
    [problem] = [one for one in report["left_out"] if one["is_loss"]]
    assert "Permission denied" in problem["reason"]
    assert "closed" in problem["place"] + problem["reason"]


def test_a_closed_path_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, tmp_path)

    assert main(["import", str(tmp_path), "--dry-run"]) == 2
    assert f"{tmp_path} cannot be read: Permission denied" in capsys.readouterr().err


def test_one_closed_experiment_of_mlflow_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from runyard.importing import mlflow_files

    for name in ("0", "1", "2"):
        (tmp_path / name / "run").mkdir(parents=True)
        (tmp_path / name / "meta.yaml").write_text(f"experiment_id: '{name}'\nname: e{name}\n")
        (tmp_path / name / "run" / "meta.yaml").write_text(f"run_id: r{name}\nstart_time: 1\n")
    closed, read = tmp_path / "1" / "meta.yaml", mlflow_files.open_file

    def open_file(path: Path) -> Any:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(mlflow_files, "open_file", open_file)

    code = main(["import", str(tmp_path), "--dry-run", "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (code, [run["name"] for run in report["runs"]]) == (1, ["e0/r0", "e2/r2"])
    assert [(one["place"], one["reason"]) for one in report["left_out"] if one["is_loss"]] == [
        (str(tmp_path / "1"), "it cannot be read: Permission denied")
    ]
