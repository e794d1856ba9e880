import sqlite3
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from runyard.commands.held import Held
from runyard.commands.verify import _judge_here
from runyard.records import FRAME, Row, decode, encode_points, split_frames
from runyard.spool import Spool

from tests.e2e.live import LiveServer
from tests.sdk.commands.conftest import Outcome
from tests.sdk.jobs import Job

pytestmark = pytest.mark.e2e
Runyard = Callable[..., Outcome]
PROJECT = "verified"
LOGGING = """
run = aspara.init(project="{project}", name="{name}")
for step in range({count}):
    aspara.log({{"loss": float("nan") if step == 1 else step, "acc": 1.0}})
with open("m.pt", "wb") as file:
    file.write(b"weights")
run.log_artifact("m.pt")
run.flush(20)
say("sent")
listen()
"""


@pytest.fixture
def start(
    server: LiveServer, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Job]:
    """A job that has sent all, and lives."""
    monkeypatch.chdir(tmp_path)

    def start_job(name: str, count: int = 50) -> Job:
        job = Job(LOGGING.format(project=PROJECT, name=name, count=count), root, server.url)
        job.wait_for("sent")
        return job

    return start_job


def findings(outcome: Outcome) -> dict[str, list[tuple[bool, str]]]:
    found: dict[str, list[tuple[bool, str]]] = {}
    for one in outcome.json()["findings"]:
        found.setdefault(one["name"], []).append((one["is_well"], one["text"]))
    return found


def test_running_job_is_compared_point_by_point(runyard: Runyard, start: Any) -> None:
    job = start("running")

    outcome = runyard("verify", f"{PROJECT}/running")
    job.kill()

    assert outcome.status == 0, outcome.out
    lines = outcome.out.splitlines()
    assert lines[:2] == [
        "ok  records  52 of 52 that 1 process had logged are on the server",
        "ok  gaps     none was dropped",
    ]
    assert lines[2].startswith("ok  here     records 1 to 52 of process ")
    assert lines[2].endswith(", all sent")
    assert lines[3:] == [
        "ok  points   100 that are still here are the same on the server",
        "ok  files    1 is there",
    ]


def test_what_has_not_been_sent_is_left(
    runyard: Runyard, start: Any, root: Path, server: LiveServer
) -> None:
    job = start("killed")
    job.kill()
    (path,) = (root / "spool").iterdir()
    spool = Spool.adopt(path)
    assert spool
    last = spool.segment_path(spool.segments[-1])
    last.write_bytes(last.read_bytes() + frame())
    spool.release()

    outcome = runyard("verify", f"{PROJECT}/killed", "--json")

    assert outcome.status == 1
    assert outcome.json()["ok"] is False
    ((is_well, text),) = findings(outcome)["here"]
    assert not is_well
    assert text.endswith(", 1 of them not on the server: runyard sync")
    assert findings(outcome)["points"] == [
        (True, "100 that are still here are the same on the server")
    ]


def frame() -> bytes:
    return encode_points(("loss",), [1.0], 99, 1_700_000_000_000_000)


def test_point_that_the_server_has_otherwise_is_found(
    runyard: Runyard, start: Any, root: Path, tmp_path: Path
) -> None:
    """As if a byte had turned on the server: here the spool is the one that differs."""
    job = start("differs")
    job.kill()
    (path,) = (root / "spool").iterdir()
    segment = next(path.glob("*.seg"))
    rewrite(segment)

    outcome = runyard("verify", f"{PROJECT}/differs", "--json")

    assert outcome.status == 1
    assert findings(outcome)["points"] == [(False, "1 of loss are not on the server as logged")]


def rewrite(segment: Path) -> None:
    """The value of loss at step 2 becomes 2.5."""
    data = segment.read_bytes()
    records, _ = split_frames(data, max_records=10_000, max_bytes=len(data))
    out = b""
    for record in records:
        assert isinstance(record, bytes)
        content = decode(record)
        if isinstance(content, Row) and int.from_bytes(content.words[:8], "little") == 2:
            time_us = int.from_bytes(content.words[8:16], "little")
            out += encode_points(("loss", "acc"), [2.5, 1.0], 2, time_us)
        else:
            out += FRAME.pack(len(record), crc32(record)) + record
    segment.write_bytes(out)


def test_finished_run_leaves_only_the_server_to_ask(
    runyard: Runyard, project: str, server: LiveServer
) -> None:
    outcome = runyard("verify", f"{project}/r1", "--json")

    assert outcome.json() == {
        "ok": True,
        "findings": [
            {
                "name": "records",
                "text": "10 of 10 that 1 process had logged are on the server",
                "is_well": True,
            },
            {"name": "gaps", "text": "none was dropped", "is_well": True},
            {"name": "here", "text": "this machine holds nothing of it any more", "is_well": True},
        ],
    }


def test_run_of_plain_http_has_no_records(runyard: Runyard, server: LiveServer) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/api/v1/projects/{PROJECT}/runs", '{"name": "http"}', headers)
    assert connection.getresponse().status == 200
    connection.close()

    outcome = runyard("verify", f"{PROJECT}/http")

    assert (outcome.status, outcome.out.splitlines()[0]) == (
        *(0, "ok  records  it was not logged through the SDK: there are none to count"),
    )
    assert runyard("verify", f"{PROJECT}/nope").status == 1


def test_file_that_is_missing_on_the_server_and_refused_records_are_named(
    runyard: Runyard, start: Any, root: Path, server: LiveServer
) -> None:
    job = start("bare")
    (path,) = (root / "spool").iterdir()
    letters = root / "dead-letter" / f"{path.name}.jsonl"
    letters.parent.mkdir()
    letters.write_text('{"seq": 3}\n')
    delete_files(server)

    outcome = runyard("verify", f"{PROJECT}/bare", "--json")
    job.kill()

    assert outcome.status == 1
    assert findings(outcome)["files"] == [(False, "m.pt is not there on the server")]
    assert findings(outcome)["refused"] == [(False, "1 by the server: dead-letter/")]


def delete_files(server: LiveServer) -> None:
    with sqlite3.connect(server.data_dir / "runyard.sqlite3", timeout=30) as connection:
        connection.execute(
            "DELETE FROM tracking_artifact WHERE run_id ="
            " (SELECT id FROM tracking_run WHERE key = 'bare')"
        )
    connection.close()


def test_damage_on_the_disk_here_is_told(runyard: Runyard, start: Any, root: Path) -> None:
    job = start("damaged")
    job.kill()
    (path,) = (root / "spool").iterdir()
    segment = next(path.glob("*.seg"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 255
    segment.write_bytes(bytes(data))

    outcome = runyard("verify", f"{PROJECT}/damaged", "--json")

    assert outcome.status == 1
    assert (False, "1 record cannot be read any more") in findings(outcome)["here"]


def test_records_of_a_living_job_are_on_their_way() -> None:
    held = Held("0b7e9f7c-6f0a", 1, 5, 0, {}, {}, 0)

    (finding,) = _judge_here(held, {"last_seq": 3}, is_alive=True)

    assert finding == (
        *("here", "records 1 to 5 of process 0b7e9f7c, 2 of them on their way", False),
    )


def test_server_that_has_more_than_the_file_here_is_told() -> None:
    held = Held("0b7e9f7c-6f0a", 1, 5, 0, {}, {}, 0)

    _, lost = _judge_here(held, {"last_seq": 9}, is_alive=False)

    assert lost == ("here", "the server has 9: the end of the file here is lost", False)


@pytest.mark.parametrize(
    ("resolution", "left"),
    [("thinned", (50, "thinned series")), ("summary", (0, "only summaries"))],
)
def test_points_that_rules_let_go_are_not_missed(
    runyard: Runyard, start: Any, server: LiveServer, resolution: str, left: tuple[int, str]
) -> None:
    (kept, words), name = left, f"kept-{resolution}"
    job = start(name)
    shorten(server, name, resolution)

    outcome = runyard("verify", f"{PROJECT}/{name}", "--json")
    shown = runyard("show", f"{PROJECT}/{name}").out
    exported = runyard("export", PROJECT, "--series", "--query", f"name = {name}", "-o", "p.csv")
    job.kill()

    assert outcome.status == 0, outcome.out
    why = f"the project's rules have left it {words}"
    assert findings(outcome)["points"] == [
        (True, f"{kept} of 100 that are still here are on the server: {why}")
    ]
    assert f"  points   {resolution if kept else 'only summaries'}" in shown
    assert "Of 1 run the project's rules have not left all points" in exported.err


def shorten(server: LiveServer, name: str, resolution: str) -> None:
    """Let go of the points of one metric, or of all."""
    with sqlite3.connect(server.data_dir / "runyard.sqlite3", timeout=30) as connection:
        run = "(SELECT id FROM tracking_run WHERE key = ?)"
        metric = "SELECT id FROM tracking_metric WHERE name = 'loss'"
        which = f"AND metric_id IN ({metric})" if resolution == "thinned" else ""
        connection.execute(
            f"DELETE FROM tracking_metricpoint WHERE run_id = {run} {which}",
            [name],
        )
        connection.execute(
            "UPDATE tracking_run SET resolution = ? WHERE key = ?", [resolution, name]
        )
    connection.close()
