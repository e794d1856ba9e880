"""Runs of Aspara in files, shown by a real server while they are written."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from runyard.aspara_store import points
from runyard.aspara_store.metadata import edit_project
from runyard.watching import loop, mirror

from tests.e2e.live import wait_until
from tests.sdk.watching.conftest import Site

BACKENDS = ["jsonl", "polars"]
JOB = """
import os, sys, time, aspara
run = aspara.init(project=sys.argv[2], name="job", dir=sys.argv[1])
run.log({"loss": 1.0})
print("ready", flush=True)
time.sleep(60)
"""


def row(number: int) -> str:
    values = {"timestamp": number, "step": number, "metrics": {"loss": number}}
    return json.dumps(values) + "\n"


def loss(site: Site, run: str = "one") -> list[tuple[int, float]]:
    return site.points(run).get("loss", [])


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_written_is_shown(site: Site, tmp_path: Path, backend: Any) -> None:
    run = site.start(
        "one",
        config={"lr": 0.1},
        tags=["t"],
        notes="n",
        project_tags=["p"],
        storage_backend=backend,
    )
    file = tmp_path / "weights.pt"
    file.write_bytes(b"weights")
    run.log({"loss": 1.0, "val/acc": 0.5})
    run.log({"loss": float("nan")})
    site.look()
    before = site.shown("one")
    run.summary["best"] = 2
    run.log({"loss": 0.25}, step=7)
    run.log_artifact(str(file), description="d", category="model")
    run.finish()
    site.look()

    assert (before["status"], before["config"], before["tags"], before["notes"]) == (
        *("wip", {"lr": 0.1}),
        *(["t"], "n"),
    )
    after = site.shown("one")
    assert (after["status"], after["exit_code"], after["summary"]) == ("completed", 0, {"best": 2})
    assert [(a["name"], a["file_size"], a["category"]) for a in after["artifacts"]] == [
        ("weights.pt", 7, "model")
    ]
    points = site.points("one")
    assert [step for step, _ in points["loss"]] == [0, 1, 7]
    assert points["val/acc"] == [(0, 0.5)]
    assert site.ask("GET", "/metadata")["tags"] == ["p"]
    assert after["finish_time"] == site.meta("one")["finish_time"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_read_or_sent_twice(site: Site, backend: Any) -> None:
    run = site.start("one", storage_backend=backend)
    for number in range(5):
        run.log({"loss": float(number)})
        site.look()
    counts = [one.record_count for one in site.watcher._mirrors.values()]

    assert loss(site) == [(n, float(n)) for n in range(5)]
    assert counts == [5]


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_new_watcher_goes_on_where_the_old_one_was(
    site: Site, backend: Any, forget: bool
) -> None:
    run = site.start("one", storage_backend=backend)
    run.log({"loss": 0.0})
    site.look()
    run.log({"loss": 1.0})
    site.begin(forget=forget)
    site.look()
    run.log({"loss": 2.0})
    run.finish()
    site.begin(forget=forget)
    site.look()

    assert loss(site) == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert site.names() == ["one"]


def test_a_new_watcher_says_nothing_of_runs_that_have_not_changed(site: Site) -> None:
    """A start would be a sign of life, and a dead run would look alive for minutes."""
    site.start("one").log({"loss": 0.0})
    site.look()
    before = site.query("revision, last_seen_at")

    site.begin()
    site.look()

    assert site.query("revision, last_seen_at") == before


def test_what_was_cut_off_in_the_middle_is_not_doubled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = site.start("one")
    for number in range(5_000):
        run.log({"loss": float(number)})
    monkeypatch.setattr(loop, "SLICE_S", 0.0)
    for _ in range(3):
        site.begin().step()
        site.leave(save=False)
    monkeypatch.setattr(loop, "SLICE_S", 0.25)
    site.begin()
    site.look()

    assert loss(site) == [(n, float(n)) for n in range(5_000)]


def test_a_run_deleted_by_people_stays_deleted(site: Site) -> None:
    run = site.start("one")
    run.log({"loss": 0.0})
    site.look()
    site.ask("DELETE", "/runs/one")
    run.log({"loss": 1.0})
    run.summary["best"] = 1
    site.look()
    site.begin(forget=True)
    site.look()

    assert site.names() == []


def test_a_run_whose_files_are_deleted_stays_and_one_written_anew_is_another(site: Site) -> None:
    first = site.start("one")
    first.log({"loss": 0.0})
    first.finish()
    site.look()
    for path in (site.root / site.project).glob("one*"):
        path.unlink()
    site.look()
    second = site.start("one")
    second.log({"loss": 5.0})
    site.look()

    assert site.names() == ["one", "one-2"]
    assert (loss(site), loss(site, "one-2")) == ([(0, 0.0)], [(0, 5.0)])


def test_a_run_deleted_by_people_and_written_anew_is_shown(site: Site) -> None:
    site.start("one").finish()
    site.look()
    site.ask("DELETE", "/runs/one")
    for path in (site.root / site.project).glob("one*"):
        path.unlink()
    site.start("one").log({"loss": 5.0})
    site.look()

    assert loss(site) == [(0, 5.0)]


def test_edits_go_into_the_files_and_stay(site: Site) -> None:
    run = site.start("one", tags=["old"], notes="old")
    run.log({"loss": 0.0})
    site.look()
    site.ask("PUT", "/runs/one/metadata", {"tags": ["new"], "notes": "better"})
    site.ask("PUT", "/metadata", {"tags": ["p"], "notes": "of the project"})
    run.summary["best"] = 1
    site.look()
    site.look()
    run.summary["best"] = 2
    site.look()
    site.begin(forget=True)
    site.look()

    meta = site.meta("one")
    assert (meta["tags"], meta["notes"], meta["summary"]) == (["new"], "better", {"best": 2})
    project = json.loads(site.path("metadata.json").read_text())
    assert (project["tags"], project["notes"]) == (["p"], "of the project")
    shown = site.shown("one")
    assert (shown["tags"], shown["notes"], shown["summary"]) == (["new"], "better", {"best": 2})


def test_edits_made_while_nobody_watched_go_into_the_files(site: Site) -> None:
    site.start("one", tags=["old"])
    site.look()
    site.leave()
    site.ask("PUT", "/runs/one/metadata", {"tags": ["new"]})
    site.look()

    assert site.meta("one")["tags"] == ["new"]


def test_changes_in_files_go_to_the_server_and_back_and_forth(site: Site) -> None:
    run = site.start("one", tags=["a"])
    site.look()
    for tags in (["b"], ["a"], [], ["b"]):
        run.set_tags(tags)
        site.look()
        assert site.shown("one")["tags"] == tags
    edit_project(site.root, site.project, tags=["x"], notes="n")
    site.look()
    edit_project(site.root, site.project, notes="m")
    site.look()

    metadata = site.ask("GET", "/metadata")
    assert (metadata["tags"], metadata["notes"]) == (["x"], "m")


def test_many_changes_are_one_strand(site: Site) -> None:
    run = site.start("one")
    for number in range(6):
        run.summary["best"] = number
        site.look()

    assert site.shown("one")["summary"] == {"best": 5}
    assert site.query("COUNT(*)", "producer")[0][0] <= 3


def test_a_resumed_run_runs_again(site: Site) -> None:
    first = site.start("one")
    first.log({"loss": 0.0})
    first.finish(exit_code=1)
    site.look()
    failed = site.shown("one")["status"]
    again = site.start("one", resume=True)
    again.log({"loss": 1.0})
    site.look()
    running = site.shown("one")["status"]
    again.finish()
    site.look()

    assert (failed, running, site.shown("one")["status"]) == ("failed", "wip", "completed")
    assert loss(site) == [(0, 0.0), (1, 1.0)]


def test_a_damaged_run_shows_what_could_be_read_and_why_no_more(site: Site) -> None:
    folder = site.root / site.project
    folder.mkdir()
    rows = [row(n).rstrip() for n in range(3)]
    (folder / "one.jsonl").write_text("\n".join([rows[0], "garbage", rows[1], rows[2][:20]]))
    (folder / "one.meta.json").write_text('{"run_id": "broken", ')
    site.look()
    site.look()

    assert loss(site) == [(0, 0.0), (1, 1.0)]
    lines = site.query("level, message", "logline", "ORDER BY seq")
    assert [level for level, _ in lines] == ["error", "error"]
    assert "one.meta.json: it cannot be read" in lines[0][1]
    assert (
        lines[1][1] == f"Left out: one.jsonl: a line that is not JSON (at byte {len(rows[0]) + 1})"
    )


def test_a_line_that_is_being_written_counts_when_it_is_whole(site: Site) -> None:
    folder = site.root / site.project
    folder.mkdir()
    rows = [row(n) for n in range(3)]
    path = folder / "one.jsonl"
    seen = []
    for piece in (rows[0][:10], rows[0][10:] + rows[1][:30], rows[1][30:] + rows[2]):
        with path.open("a") as file:
            file.write(piece)
        site.look()
        seen.append(len(loss(site)) if site.watcher._mirrors and _is_there(site) else 0)

    assert seen == [0, 1, 3]
    assert site.query("COUNT(*)", "logline") == [(0,)]


def _is_there(site: Site) -> bool:
    return all(one.uid for one in site.watcher._mirrors.values())


def test_silent_runs_are_alive_as_long_as_their_processes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LIFE_S", 0.0)
    monkeypatch.setattr(loop, "LOOK_S", 0.0)
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, str(site.root), site.project],
        stdout=subprocess.PIPE,
        env={**os.environ, "RUNYARD_ENVIRONMENT": "0"},
    )
    assert job.stdout
    try:
        while job.stdout.readline() != b"ready\n":
            pass
        site.look()
        first = site.query("last_seen_at")
        wait_until(lambda: site.look() or site.query("last_seen_at") > first, 10, "a sign of life")
    finally:
        job.send_signal(signal.SIGKILL)
        job.wait()
        job.stdout.close()
    site.look()
    last = site.query("last_seen_at")
    for _ in range(3):
        time.sleep(0.01)
        site.look()

    assert site.query("last_seen_at") == last
    assert site.shown("job")["status"] == "wip"


def test_what_is_written_now_goes_before_what_is_to_be_caught_up_with(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site.root / site.project
    folder.mkdir()
    (folder / "big.jsonl").write_text("".join(map(row, range(60_000))))
    os.utime(folder / "big.jsonl", (time.time() - 600,) * 2)
    run = site.start("live")
    run.log({"loss": 0.0})
    watcher = site.begin()
    monkeypatch.setattr(loop, "SLICE_S", 0.05)
    behind = []
    for number in range(1, 4):
        watcher.step()
        behind.append(bool(watcher._due))
        assert len(loss(site, "live")) == number
        run.log({"loss": 1.0})
    site.look()

    assert behind == [True, True, True]
    assert len(site.query("t.count", "metric", "AND t.count = 60000")) == 1


def test_directories_may_come_later(site: Site) -> None:
    site.root.rmdir()
    site.look()
    site.start("one").log({"loss": 0.0})
    site.look()

    assert loss(site) == [(0, 0.0)]


def test_archives_are_read_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run = site.start("one", storage_backend="polars")
    run.log({"loss": 0.0})
    run.finish()
    again = site.start("one", storage_backend="polars", resume=True)
    site.look()
    read = []
    whole = points.read_frame
    monkeypatch.setattr(points, "read_frame", lambda source: read.append(source) or whole(source))
    for number in (1, 2, 3):
        again.log({"loss": float(number)})
        site.look()

    assert read == []
    assert loss(site) == [(n, float(n)) for n in range(4)]


def test_what_the_server_refuses_is_said_once_and_rests(site: Site, capsys: Any) -> None:
    folder = site.root / ("p" * 252)  # longer than names on the server
    folder.mkdir()
    (folder / "one.jsonl").write_text(row(0))
    os.utime(folder / "one.jsonl", (time.time() - 600,) * 2)
    watcher = site.begin()
    left_to_do = [watcher.step() for _ in range(3)]

    assert left_to_do == [False] * 3
    assert capsys.readouterr().out.count("/one: the server refuses it: 400") == 1


def test_what_a_process_has_open_goes_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        over = site.start(name)
        over.log({"loss": 0.0})
        over.finish()
    live = site.start("live")
    live.log({"loss": 0.0})
    monkeypatch.setattr(loop, "SLICE_S", 0.0)

    site.begin().step()

    assert site.names() == ["live"]
    site.look()
    assert site.names() == ["a", "b", "c", "live"]
    live.finish()
