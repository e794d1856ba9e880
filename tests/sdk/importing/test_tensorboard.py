import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from runyard.cli import main
from runyard.importing.detect import open_source
from runyard.importing.source import Options
from runyard.records import MAX_METRICS
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from tests.sdk.door import Door
from tests.sdk.importing.reading import RECORDED, Reading
from tests.sdk.importing.test_event_files import frame

NOW_US = 1_767_323_045_000_000  # as the recorded ones began
TORN = ("the last event is cut short", False)


def scalar(tag: str, value: float, step: int, wall_time: float = 1_767_323_045.0) -> bytes:
    one = Summary.Value(tag=tag, simple_value=value)
    return event(step=step, wall_time=wall_time, summary=Summary(value=[one]))


def event(**fields: Any) -> bytes:
    return bytes(Event(**fields).SerializeToString())


def write_events(path: Path, *events: bytes, begun: float = 1_767_323_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    version = event(wall_time=begun, file_version="brain.Event:2")
    path.write_bytes(b"".join(map(frame, [version, *events])))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "run" / "events.out.tfevents.1767323000.host"


def test_what_pytorch_writes_arrives_whole() -> None:
    reading = Reading(RECORDED / "tensorboard", format_name="tensorboard")
    run = reading.runs["tensorboard/vision/cnn"]

    loss = [(step, pytest.approx(1 / (step + 1))) for step in range(20)]
    again = [(step, pytest.approx(2 / (step + 1))) for step in range(15, 25)]
    odd = [(20, pytest.approx(math.nan, nan_ok=True)), (21, math.inf)]
    assert run.points == {
        "train/loss": [*loss, *odd, *again],
        "val/acc": [(step, step / 32) for step in range(20)],
    }
    assert run.times_us["val/acc"] == [NOW_US + 500_000 + n * 1_000_000 for n in range(20)]
    assert run.times_us["train/loss"][-1] == NOW_US + 124_000_000
    assert run.payloads("log") == [
        {
            "message": "**bold** <script>alert(1)</script>",
            "level": "info",
            "time": NOW_US + 22_000_000,
            "metadata": {"tag": "words/text_summary", "step": 3},
        }
    ]
    assert run.start["project_name"] == "tensorboard"
    assert (run.start["folder"], run.start["name"]) == ("vision", "cnn")
    assert run.lost == []
    assert reading.told == [("1 histograms (weights)", False), ("1 images (picture)", False)]


def test_hyperparameters_are_the_config_of_their_run() -> None:
    run = Reading(RECORDED / "tensorboard").runs["tensorboard/vision/cnn/trial"]

    assert run.payloads("config") == [{"lr": 0.1, "layers": 3, "optimizer": "adam"}]
    assert run.points == {"hparam/acc": [(0, 0.75)]}
    [finish] = run.payloads("finish")
    assert (finish["status"], "reason" in finish) == ("completed", False)


def test_numbers_as_tensors_are_scalars_too() -> None:
    run = Reading(RECORDED / "tensorboard").runs["tensorboard/tensors"]

    assert run.points == {"loss": [(step, step / 8) for step in range(10)]}
    assert run.times_us["loss"] == [NOW_US + n * 1_000_000 for n in range(10)]


def test_it_agrees_with_the_reader_of_tensorboard() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    home = RECORDED / "tensorboard" / "tensors"
    theirs = EventAccumulator(str(home)).Reload()

    ours = Reading(home).run

    loss = [(one.step, one.tensor_proto.float_val[0]) for one in theirs.Tensors("loss")]
    assert ours.points == {"loss": loss}


def test_a_run_alone_is_named_after_its_directory(path: Path) -> None:
    write_events(path, scalar("loss", 1, 0))

    titles = [list(Reading(one).runs) for one in (path, path.parent, path.parents[1])]

    assert titles == [["logs/run"]] * 3


def test_the_same_run_is_found_wherever_the_directory_lies(tmp_path: Path) -> None:
    moved = shutil.copytree(RECORDED / "tensorboard", tmp_path / "moved")

    found = [list(open_source(one, Options()).find()) for one in (RECORDED / "tensorboard", moved)]

    assert [run.run_uid for run in found[0]] == [run.run_uid for run in found[1]]
    assert len({run.run_uid for run in found[0]}) == 3


def test_copied_runs_are_runs_of_their_own(path: Path) -> None:
    write_events(path, scalar("loss", 1, 0))
    shutil.copytree(path.parent, path.parents[1] / "copy")

    runs = list(open_source(path.parents[1], Options()).find())

    assert len({run.run_uid for run in runs}) == 2


def test_a_file_that_grows_gives_more_of_the_same_strand(path: Path) -> None:
    write_events(path, *(scalar("loss", n, n) for n in range(5)))
    before = path.read_bytes()
    path.write_bytes(before[:-7])
    source = open_source(path, Options())
    [run] = source.find()
    strand = next(iter(source.strands(run)))
    first = list(strand.read(1))

    write_events(path, *(scalar("loss", n, n) for n in range(9)))

    [again] = open_source(path, Options()).find()
    assert again == run
    assert len(first) == 4
    assert [*first, *strand.read(1 + len(first))] == list(strand.read(1))
    assert len(list(strand.read(1))) == 9


def test_files_of_a_run_are_read_in_order_of_time(path: Path) -> None:
    later = path.with_name("a.tfevents.later")
    write_events(later, scalar("loss", 2, 1), begun=1_767_323_100.0)
    write_events(path, scalar("loss", 1, 5), begun=1_767_323_000.0)

    run = Reading(path.parents[1]).run

    assert run.points == {"loss": [(5, 1.0), (1, 2.0)]}
    assert run.start["started_at"] == 1_767_323_000_000_000


def test_values_of_one_event_are_one_record(path: Path) -> None:
    values = [Summary.Value(tag=tag, simple_value=n) for n, tag in enumerate(["a", "b"])]
    write_events(path, event(step=3, wall_time=1e9, summary=Summary(value=values)))
    source = open_source(path, Options())
    [run] = source.find()

    assert len(list(next(iter(source.strands(run))).read(1))) == 1
    assert Reading(path).run.points == {"a": [(3, 0.0)], "b": [(3, 1.0)]}


@pytest.mark.parametrize("wall_time", [math.nan, math.inf, -1e300, 1e18])
def test_times_that_no_calendar_has_are_those_of_the_event_before(
    path: Path, wall_time: float
) -> None:
    write_events(path, scalar("loss", 1, 0, 1e9), scalar("loss", 2, 1, wall_time))

    assert Reading(path).run.times_us == {"loss": [10**15, 10**15]}


def test_damage_leaves_a_gap_and_the_rest(path: Path) -> None:
    write_events(path, *(scalar("loss", n, n) for n in range(3)))
    data = bytearray(path.read_bytes())
    size = len(frame(scalar("loss", 1, 1)))
    data[-size - 8] ^= 0xFF
    path.write_bytes(data)

    run = Reading(path).run

    assert run.points == {"loss": [(0, 0.0), (2, 2.0)]}
    assert run.lost == ["damaged"]


def test_what_is_no_event_leaves_a_gap(path: Path) -> None:
    write_events(path, b"\xff\xff\xff", scalar("loss", 1, 0))

    run = Reading(path).run

    assert (run.lost, run.points) == (["no event of TensorBoard"], {"loss": [(0, 1.0)]})


def test_a_last_event_cut_short_is_told_and_is_no_loss(path: Path) -> None:
    write_events(path, scalar("loss", 1, 0), scalar("loss", 2, 1))
    path.write_bytes(path.read_bytes()[:-1])

    reading = Reading(path)

    assert reading.run.points == {"loss": [(0, 1.0)]}
    assert reading.told == [TORN]


def test_garbage_makes_no_run(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(range(256)) * 4)

    reading = Reading(path)

    reason = "damaged at byte 0; what follows cannot be read"
    assert (reading.runs, reading.told) == ({}, [(reason, True)])


def test_hostile_tags_are_told_and_the_others_kept(path: Path) -> None:
    tags = ["", "x" * 300, "a\0b", "<img src=x onerror=alert(1)>", "../../etc/passwd"]
    write_events(path, *(scalar(tag, 1, 0) for tag in tags))

    reading = Reading(path)

    assert set(reading.run.points) == set(tags[3:])
    [(reason, is_loss)] = reading.told
    assert (reason[:46], is_loss) == ("3 values under names that cannot be kept (, xx", True)


def test_more_names_than_a_run_may_have_are_told(path: Path) -> None:
    count = MAX_METRICS + 5
    write_events(path, *(scalar(f"m{n}", 1, 0) for n in range(count)))

    reading = Reading(path)

    assert len(reading.run.points) == MAX_METRICS
    assert reading.told[0][0].startswith("5 values under names")


def test_files_without_values_make_no_run(path: Path) -> None:
    write_events(path)

    reading = Reading(path)

    assert (reading.runs, reading.told) == ({}, [("no values in it", False)])


def test_links_are_not_followed(path: Path, tmp_path: Path) -> None:
    write_events(tmp_path / "secret" / path.name, scalar("secret", 1, 0))
    write_events(path, scalar("loss", 1, 0))
    (path.parents[1] / "link").symlink_to(tmp_path / "secret")
    (path.parent / "b.tfevents").symlink_to(tmp_path / "secret" / path.name)

    assert Reading(path.parents[1]).run.points == {"loss": [(0, 1.0)]}


def test_names_that_are_no_text_are_made_fit(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"odd\xff\nname")
    write_events(folder / "a.tfevents", scalar("loss", 1, 0))
    write_events(tmp_path / "b" / "a.tfevents", scalar("loss", 1, 0))

    reading = Reading(tmp_path)

    assert [run.start["name"] for run in reading.runs.values()] == ["b", "odd__name"]
    assert all(str(run.start).encode() for run in reading.runs.values())


def test_without_the_package_it_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runyard.importing.tensorboard.find_spec", lambda name: None)
    write_events(path, scalar("loss", 1, 0))

    with pytest.raises(ValueError, match=r"pip install 'runyard\[tensorboard\]'"):
        open_source(path, Options())


def test_a_silent_run_is_over_and_a_young_one_goes_on(path: Path) -> None:
    write_events(path, scalar("loss", 1, 0))

    [over] = Reading(path).run.payloads("finish")
    young = Reading(path, idle_s=1e12).run

    assert over == {
        "status": "completed",
        "time": NOW_US,
        "reason": "inferred: nothing was written after that, and no end was noted",
    }
    assert (young.payloads("finish"), young.states) == ([], {"resume": True})


def test_the_summary_tells_what_counts_as_running(
    path: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events(path, scalar("loss", 1, 0, time.time()))
    told = "1 run still counts as running: --idle 0 ends what has no known end.\n"

    assert main(["import", str(path.parent), "--url", door.url]) == 0
    assert told in capsys.readouterr().out
    assert main(["import", str(path.parent), "--url", door.url, "--idle", "0"]) == 0
    assert told not in capsys.readouterr().out
