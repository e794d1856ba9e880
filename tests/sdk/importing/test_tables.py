import gc
import math
import time
from pathlib import Path
from typing import Any

import pytest
from runyard.importing import table_files
from runyard.importing.detect import open_source
from runyard.importing.source import Options
from runyard.importing.table_columns import read_step, read_time

from tests.sdk.importing.reading import Reading

NOW_US = 1_767_323_045_000_000
NAN = pytest.approx(math.nan, nan_ok=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    home = tmp_path / "results"
    home.mkdir()
    return home / "a.csv"


def test_a_file_is_a_run(path: Path) -> None:
    path.write_text(
        "step,timestamp,loss,acc,optimizer\n"
        "0,2026-01-02T03:04:05Z,1.5,0.1,adam\n"
        "5,1767323046.5,nan,,adam\n"
        "10,,-inf,0.3,adam\n"
    )

    reading = Reading(path)

    run = reading.runs["results/a"]
    assert run.points == {
        "loss": [(0, 1.5), (5, NAN), (10, -math.inf)],
        "acc": [(0, 0.1), (10, 0.3)],
    }
    assert run.times_us["loss"] == [NOW_US, NOW_US + 1_500_000, NOW_US + 1_500_000]
    assert run.payloads("config") == [{"optimizer": "adam"}]
    assert run.start["started_at"] == NOW_US
    assert run.payloads("finish")[0]["time"] == NOW_US + 1_500_000
    assert reading.told == []


@pytest.mark.parametrize(
    ("head", "metrics"),
    [
        ("step,epoch,x", {"epoch", "x"}),
        ("epoch,x,y", {"x", "y"}),
        ("_step,_runtime,x", {"_runtime", "x"}),
        ("Epoch,time,x", {"time", "x"}),
        ("x,y,z", {"x", "y", "z"}),
    ],
)
def test_columns_for_steps_are_known_by_name(path: Path, head: str, metrics: set[str]) -> None:
    path.write_text(f"{head}\n7,2,3\n8,3,4\n")

    points = Reading(path).run.points

    assert set(points) == metrics
    steps = [0, 1] if head == "x,y,z" else [7, 8]
    assert [step for step, _ in points[max(metrics)]] == steps


def test_a_wanted_column_for_steps_is_used(path: Path) -> None:
    path.write_text("step,batch,loss\n1,100,0.5\n1,200,0.25\n")

    assert Reading(path, step="batch").run.points == {
        "loss": [(100, 0.5), (200, 0.25)],
        "step": [(100, 1.0), (200, 1.0)],
    }
    assert Reading(path, step="none").told == [("it has no column 'none'", True)]


@pytest.mark.parametrize("column", ["run", "seed"])
def test_a_column_says_whose_row_it_is(path: Path, column: str) -> None:
    path.write_text(f"{column},step,loss,note\nb,0,1,x\na,0,2,y\nb,1,3,x\n,2,4,z\na,1,5,other\n")

    reading = Reading(path, run=column if column == "seed" else "")

    assert {title: run.points for title, run in reading.runs.items()} == {
        "results/a/b": {"loss": [(0, 1.0), (1, 3.0)]},
        "results/a/a": {"loss": [(0, 2.0), (1, 5.0)]},
    }
    assert reading.runs["results/a/b"].payloads("config") == [{"note": "x"}]
    assert reading.told == [
        ("1 rows without a run, or of runs beyond 10,000", True),
        ("column 'note': texts that differ", False),
    ]


def test_rows_sorted_by_run_leave_nothing_behind(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    path.write_text("run,step,loss\na,0,1\n")
    source = open_source(path, Options())
    assert len(list(source.find())) == len(list(folder.iterdir())) == 1

    del source
    gc.collect()

    assert list(folder.iterdir()) == []


def test_long_tables_name_the_metric_in_each_row(path: Path) -> None:
    path.write_text("name,step,value\nloss,0,1.5\nacc,0,0.25\nloss,1,\nloss,2,x\nloss,3,0.5\n")

    reading = Reading(path)

    assert reading.run.points == {"loss": [(0, 1.5), (3, 0.5)], "acc": [(0, 0.25)]}
    assert reading.told == [("1 rows without a number, or with a name that cannot be kept", True)]


def test_long_tables_of_several_runs(path: Path) -> None:
    path.write_text("run,metric,step,value\na,loss,0,1\nb,loss,0,2\n")

    assert {title: run.points for title, run in Reading(path).runs.items()} == {
        "results/a/a": {"loss": [(0, 1.0)]},
        "results/a/b": {"loss": [(0, 2.0)]},
    }


def test_charts_exported_from_weights_and_biases(path: Path) -> None:
    columns = [f"{run} - {name}" for run in ("sun - 1", "sea-2") for name in ("loss", "_step")]
    head = ["Step", *(f"{name}{end}" for name in columns for end in ("", "__MIN", "__MAX"))]
    rows = [
        ["0", *["1.5"] * 3, *["0"] * 3, *[""] * 6],
        ["9", *["0.5"] * 3, *["9"] * 3, *["2.5"] * 3, *["9"] * 3],
    ]
    lines = (",".join(f'"{cell}"' for cell in row) for row in [head, *rows])
    path.write_text("\n".join(lines) + "\n")

    reading = Reading(path)

    assert {title: run.points for title, run in reading.runs.items()} == {
        "results/a/sun - 1": {"loss": [(0, 1.5), (9, 0.5)]},
        "results/a/sea-2": {"loss": [(9, 2.5)]},
    }
    assert reading.told == [("the columns __MIN and __MAX of Weights & Biases", False)]


def test_histories_saved_by_pandas(path: Path) -> None:
    import pandas as pd

    rows = {"_step": [0, 5], "_timestamp": [1767323045.5, 1767323046.5], "loss": [0.5, None]}
    pd.DataFrame(rows).to_csv(path)

    reading = Reading(path)

    assert reading.run.points == {"loss": [(0, 0.5)]}
    assert reading.told == [("column 1, which has no name", False)]


@pytest.mark.parametrize(
    "text",
    [
        "step;loss\n0;0,5\n1;1e-3\n",
        "step\tloss\n0\t0.5\n1\t1e-3\n",
        "\ufeffstep,loss\r\n0,0.5\r\n1,1e-3\r\n",
    ],
)
def test_dialects_are_known(path: Path, text: str) -> None:
    path.write_bytes(text.encode())

    assert Reading(path).run.points == {"loss": [(0, 0.5), (1, 0.001)]}


def test_rows_that_cannot_be_kept_are_told(path: Path) -> None:
    path.write_text("step,loss,loss,a\n0,1,5,2\nx,1,1,1\n\n0.5,1\n2.0,2,6,text\n3\n-4,4\n")

    reading = Reading(path)

    assert reading.run.points == {"loss": [(0, 1.0), (2, 2.0), (-4, 4.0)], "a": [(0, 2.0)]}
    assert reading.told == [
        ("another column of the name 'loss'", True),
        ("2 rows without a whole number for the step", True),
        ("texts among the numbers of column 'a'", True),
    ]


def test_gigantic_cells_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"step,a\n0,1\n1,{'9' * 200_000}\n2,{'8' * 100}\n3,3\n")
    reading = Reading(path)

    monkeypatch.setattr(table_files, "MAX_LINE_CHARS", 1_000)

    assert [step for step, _ in reading.run.points["a"]] == [0, 2, 3]
    reason = "a row that cannot be read: field larger than field limit (131072)"
    assert reading.told == [(reason, True)]
    cut = Reading(path)
    assert cut.run.points == {"a": [(0, 1.0)]}
    assert cut.told == [("a line of more than 1,000 characters, and the rest", True)]


def test_markup_and_formulas_are_texts(path: Path) -> None:
    path.write_text("step,<b>x</b>,note\n0,1,=cmd()\n")

    run = Reading(path).run

    assert run.points == {"<b>x</b>": [(0, 1.0)]}
    assert run.payloads("config") == [{"note": "=cmd()"}]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0\0\0", b"step\n", b"\xff\xfe\x00", b"PAR1"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_no_table_is_told(path: Path, data: bytes, suffix: str) -> None:
    path = path.with_suffix(suffix)
    path.write_bytes(data)

    reading = Reading(path)

    assert reading.runs == {}
    assert len(reading.told) == 1


def test_a_line_that_is_being_written_waits(path: Path) -> None:
    path.write_text("step,loss\n0,1\n1,0.12")

    young, old = Reading(path, idle_s=3_600.0), Reading(path)

    assert young.run.points == {"loss": [(0, 1.0)]}
    assert young.told == [("the last line has no end yet", False)]
    assert old.run.points == {"loss": [(0, 1.0), (1, 0.12)]}


def test_a_file_that_grows_is_the_same_run(path: Path) -> None:
    path.write_text("step,loss\n0,1\n")
    [before] = open_source(path, Options()).find()
    with path.open("a") as file:
        file.write("1,2\n")
    moved = path.parent.rename(path.parents[1] / "moved")

    [after] = open_source(moved / path.name, Options()).find()

    assert after.run_uid == before.run_uid
    assert Reading(moved).run.points == {"loss": [(0, 1.0), (1, 2.0)]}


@pytest.mark.parametrize("head", ["step,loss", "step,time,loss"])
def test_a_table_is_over_however_young_it_is(path: Path, head: str) -> None:
    path.write_text(f"{head}\n0{f',{time.time()}' * head.count('time')},1\n")

    run = Reading(path, idle_s=3_600.0).run

    assert [finish["status"] for finish in run.payloads("finish")] == ["completed"]
    assert run.payloads("finish")[0]["time"] == run.times_us["loss"][-1]
    assert run.states == {}


def test_files_that_begin_alike_are_runs_of_their_own(path: Path) -> None:
    for name in ("a", "b"):
        path.with_stem(name).write_text("step,loss\n0,1\n")

    assert len({run.run_uid for run in open_source(path.parent, Options()).find()}) == 2


def test_directories_give_what_has_steps_or_times(path: Path, tmp_path: Path) -> None:
    for name in ("x/version_0/metrics.csv", "x/plain.csv", ".venv/lib/data.csv", "notes.txt"):
        target = path.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("a,b\n1,2\n" if "plain" in name else "step,loss\n0,1\n")
    (path.parent / "link").symlink_to(tmp_path)

    reading = Reading(path.parent)

    assert list(reading.runs) == ["results/x/version_0"]
    assert reading.told == [("no column for steps or times", False)]
    assert Reading(path.parent / "x" / "plain.csv").run.points == {
        "a": [(0, 1.0)],
        "b": [(0, 2.0)],
    }


def test_parquet_has_types_of_its_own(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = pa.array([NOW_US, NOW_US + 5], pa.timestamp("us", tz="UTC"))
    columns: dict[str, Any] = {
        "step": pa.array([1, 2], pa.uint8()),
        "timestamp": times,
        "loss": pa.array([0.5, None]),
        "nan": pa.array([math.nan, 1.0]),
        "half": pa.array([0.5, 1.5], pa.float16()),
        "flag": [True, False],
        "name": pa.array(["x", "x"]).dictionary_encode(),
        "text": ["a", "b"],
        "list": [[1], [2]],
    }
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))

    reading = Reading(path.parent)

    assert reading.run.points == {
        "loss": [(1, 0.5)],
        "nan": [(1, NAN), (2, 1.0)],
        "half": [(1, 0.5), (2, 1.5)],
        "flag": [(1, 1.0), (2, 0.0)],
    }
    assert reading.run.times_us["nan"] == [NOW_US, NOW_US + 5]
    assert reading.run.payloads("config") == [{"name": "x"}]
    assert reading.told == [
        ("the column 'list' of lists or maps", False),
        ("column 'text': texts that differ", False),
    ]


def test_parquet_that_expands_beyond_reason_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr(table_files, "ROWS_PER_BYTE", 10)
    path = path.with_suffix(".parquet")
    pq.write_table(pa.table({"step": pa.repeat(pa.scalar(1), 1_000_000)}), path)
    assert path.stat().st_size < 100_000

    assert Reading(path).told == [("it claims to hold 1,000,000 rows", True)]


def test_texts_of_parquet_are_cut_before_they_are_unfolded(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = path.with_suffix(".parquet")
    pq.write_table(pa.table({"step": range(9), "x": [0.5] * 9, "t": ["y" * 10**6] * 9}), path)

    assert Reading(path).run.payloads("config") == [{"t": "y" * 1_000}]


def test_without_pyarrow_it_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.with_suffix(".parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(table_files, "find_spec", lambda name: None)

    told = Reading(path.parent).told

    assert told == [("Parquet needs pyarrow: pip install 'runyard[parquet]'", True)]


@pytest.mark.parametrize(
    ("cell", "step"),
    [("7", 7), (" 7 ", 7), ("7.0", 7), ("1e3", 1_000), (-7, -7), (7.0, 7), (True, 1)]
    + [(cell, None) for cell in ("", "x", None, "7.5", "nan", "inf", math.inf, math.nan, 7.5)],
)
def test_steps_are_whole_numbers(cell: Any, step: int | None) -> None:
    assert read_step(cell) == step


@pytest.mark.parametrize(
    ("cell", "time_us"),
    [("1767323045", NOW_US), (1767323045.5, NOW_US + 500_000), ("1767323045000", NOW_US)]
    + [(NOW_US, NOW_US), (NOW_US * 1_000, NOW_US)]
    + [("2026-01-02 03:04:05", NOW_US), ("2026-01-02T04:04:05+01:00", NOW_US)]
    + [(cell, None) for cell in ("", "x", None, True, "nan", math.inf, 12.5, -5, 1e300)],
)
def test_times_are_read_in_any_unit(cell: Any, time_us: int | None) -> None:
    assert read_time(cell) == time_us


def test_a_plain_name_is_the_same_run_from_wherever_it_is_imported(path: Path) -> None:
    plain = path.parent / "exp1" / "metrics.csv"
    plain.parent.mkdir()
    plain.write_text("step,loss\n0,1\n")

    found = [Reading(one).run.found for one in (plain, plain.parent, path.parent)]

    assert [run.title for run in found] == ["results/exp1"] * 3
    assert len({run.run_uid for run in found}) == 1


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("1,2", [("cells beyond the columns that the first line names", True)]),
        ("1,", []),
    ],
)
def test_cells_without_a_column_are_told_once(
    path: Path, cells: str, told: list[tuple[str, bool]]
) -> None:
    path.write_text(f"step,loss\n0,{cells}\n1,{cells}\n")

    reading = Reading(path)

    assert (reading.run.points, reading.told) == ({"loss": [(0, 1.0), (1, 1.0)]}, told)
