"""A server that is down, slow, rude or forgetful: the training goes on, and nothing is lost."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_dash import AuthenticationError, ConfigurationError, Experiment, NetworkError, StorageError
from runyard.family import VARIABLE
from runyard.names import local_key
from runyard.remote import Remote

from tests.sdk.door import Answer, Door, wait_until
from tests.sdk.jobs import run_command, run_job
from tests.sdk.ml_dash.conftest import DEAD_URL

PREFIX = "alice/p/a/exp"
GARBAGE = Answer(200, {"hello": "proxy"})


def assert_whole(door: Door) -> None:
    (key,) = door.runs
    assert door.payloads(key, "config") == [{"lr": 0.1}]
    assert [line["message"] for line in door.payloads(key, "log")] == ["hello"]
    assert [row["fields"]["loss"] for row in door.payloads(key, "row")] == [1]
    assert door.payloads(key, "stream") == [{"stream": "m", "description": "d"}]
    (artifact,) = door.payloads(key, "artifact")
    ((path, body),) = door.uploads
    assert path == f"/api/experiments/{door.runs[key]['uid']}/files"
    assert artifact["uid"].encode() in body
    assert b"weights" in body
    assert door.status(key) == "completed"


@pytest.mark.parametrize("place", ["None", "'.dash'"], ids=["remote", "hybrid"])
@pytest.mark.parametrize(
    "fault", ["hang", "hang up", GARBAGE, Answer(500), Answer(401, {"detail": "Who are you?"})]
)
def test_training_goes_on_and_nothing_is_lost(
    fault: Any, place: str, door: Door, root: Path
) -> None:
    door.fault = lambda path: fault
    script = f"""
    from ml_dash import Experiment
    with Experiment({PREFIX!r}, dash_url={door.url!r}, dash_root={place}).run as experiment:
        begin = time.monotonic()
        assert experiment.id is None
        experiment.params.set(lr=0.1)
        experiment.log("hello")
        experiment.metrics("m", description="d").log(loss=1)
        experiment.files("models").save_text("weights", to="net.pt")
        assert time.monotonic() < begin + 0.5, "it waits for nobody"
    """
    start = time.monotonic()
    code, errors = run_job(
        script, root, "", RUNYARD_INIT_TIMEOUT="0.2", RUNYARD_EXIT_DEADLINE="0.2"
    )
    assert (code, time.monotonic() < start + 5) == (0, True), errors
    assert f"7 records of alice-p/{local_key('a/exp', 'run')} have not arrived" in errors

    door.fault = lambda path: None
    synced = run_command("sync", str(root), root=root)
    assert synced.returncode == 0, synced.stderr
    assert_whole(door)


def test_server_that_comes_back_has_all(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.fault = lambda path: "hang up"
    monkeypatch.setenv("RUNYARD_INIT_TIMEOUT", "0.2")
    experiment = Experiment(PREFIX, dash_url=door.url, dash_root=None)
    experiment.run.start()
    experiment.params.set(lr=0.1)
    experiment.log("hello")
    door.fault = lambda path: None
    experiment.metrics("m", description="d").log(loss=1)
    experiment.files("models").save_text("weights", to="net.pt")
    experiment.run.complete()

    assert_whole(door)


def test_flushing_each_epoch_waits_for_no_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "2")
    monkeypatch.setattr("ml_dash._remote.SHORT_PATIENCE_S", 0.05)
    with Experiment(PREFIX, dash_url=DEAD_URL, dash_root=None).run as experiment:
        start = time.monotonic()
        for epoch in range(5):
            experiment.metrics.log(epoch=epoch).flush()
        assert time.monotonic() < start + 5


READS: dict[str, Callable[[Experiment], Any]] = {
    "params": lambda one: one.params.get(),
    "rows": lambda one: one.metrics("m").read(),
    "stats": lambda one: one.metrics("m").stats(),
    "metrics": lambda one: one.metrics.list_all(),
    "files": lambda one: one.files.list(),
    "download": lambda one: one.files(file_id="7").download(),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reading_without_a_server_says_so_in_time(read: Callable[[Experiment], Any]) -> None:
    with Experiment(PREFIX, dash_url=DEAD_URL, dash_root=None).run as experiment:
        start = time.monotonic()
        with pytest.raises(NetworkError, match=r"127\.0\.0\.1:1 does not answer"):
            read(experiment)
        assert time.monotonic() - start < 5


@pytest.mark.usefixtures("impatient")
def test_reading_without_a_token_says_so(door: Door) -> None:
    door.fault = lambda path: Answer(401, {"detail": "Who are you?"})
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        with pytest.raises(AuthenticationError, match=r"does not let us in \(401 Who are you\?\)"):
            experiment.params.get()
        assert experiment.files(file_id="7").delete()["id"] == "7", "it is made later"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (GARBAGE, NetworkError, "answer"),
        (Answer(502), NetworkError, "does not answer"),
        (Answer(404), NetworkError, "does not answer"),
        (Answer(401, {"detail": "No."}), AuthenticationError, r"does not let us in \(401 No\.\)"),
        (
            Answer(302, headers={"Location": "http://x"}),
            AuthenticationError,
            "it points to http://x",
        ),
    ],
)
def test_answers_that_are_none_are_told_as_what_they_are(
    answer: Answer, kind: type[Exception], words: str, door: Door
) -> None:
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        experiment.metrics("m").log(a=1)
        door.fault = lambda path: answer if path.startswith("/api/") else None
        for name in ("rows", "stats", "metrics", "files", "download"):
            with pytest.raises(kind, match=words):
                READS[name](experiment)


def test_hybrid_reads_here_what_the_server_does_not_tell(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with Experiment(PREFIX, dash_url=door.url).run as experiment:
        door.fault = lambda path: (
            Answer(502) if path.startswith("/api/") and "files" not in path else None
        )
        experiment.params.set(lr=1)
        experiment.metrics("m").log(a=1, _ts=1)
        assert experiment.params.get() == {"lr": 1}
        assert experiment.metrics("m").stats()["lastValue"] == {"a": 1, "_ts": 1.0}
        saved = experiment.files.save_text("x", to="x")
        assert experiment.files.list()[0]["id"] == saved["id"]
        assert Path(str(experiment.files(file_id=saved["id"]).download(to="y"))).read_text() == "x"
        assert experiment.files(file_id=saved["id"], tags=["t"]).update()["tags"] == ["t"]
        assert experiment.files(file_id=saved["id"]).delete()["id"] == saved["id"]
        assert experiment.files.list() == []

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0].endswith("does not answer (status 501); changes of files are made later.")
    assert told[1].startswith("runyard: 2 changes of files were not made: ")


@pytest.mark.usefixtures("impatient")
def test_changes_of_files_wait_for_the_server(
    door: Door, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, str, Any]] = []
    monkeypatch.setattr(
        Remote,
        "patch",
        lambda self, path, changes: made.append(("patch", path, changes)) or {"id": "7"},
    )
    monkeypatch.setattr(
        Remote, "delete", lambda self, path: made.append(("delete", path, None)) or {}
    )
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        door.fault = lambda path: "hang up"
        experiment.log("something that does not arrive")
        assert experiment.files(file_id="7", tags=["x"]).update()["tags"] == ["x"]
        assert experiment.files(file_id="7").delete().keys() == {"id", "deletedAt"}  # type: ignore[union-attr]
        assert made == []
        door.fault = lambda path: None
        monkeypatch.setenv("RUNYARD_EXIT_DEADLINE", "5")
        experiment.flush()
        path = f"/api/experiments/{experiment.id}/files/7"

    assert made == [("patch", path, {"tags": ["x"]}), ("delete", path, None)]
    assert (
        sum("changes of files are made later." in one.getMessage() for one in caplog.records) == 1
    )


def test_download_that_is_damaged_leaves_nothing_behind(door: Door, here: Path) -> None:
    entry = {"id": "7", "filename": "x.txt", "checksum": "0" * 64, "path": "/"}
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        door.fault = lambda path: Answer(200, entry) if path.startswith("/api/") else None
        with pytest.raises(StorageError, match="checksum differs"):
            experiment.files(file_id="7").download()

    assert list(here.iterdir()) == []


def test_name_of_a_file_from_the_server_is_no_path(door: Door, here: Path) -> None:
    entry = {"id": "7", "filename": "../../evil", "path": "/"}
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        door.fault = lambda path: (
            Answer(200, entry | {"checksum": "x"}) if "/api/" in path else None
        )
        with pytest.raises(StorageError, match=r"^evil has not arrived"):
            experiment.files(file_id="7").download()


@pytest.mark.parametrize("kind", ["local", "remote", "hybrid"])
def test_file_that_vanishes_while_it_is_saved_is_told(
    kind: str,
    door: Door,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(Path, "is_file", lambda path: True)
    url, place = None if kind == "local" else door.url, None if kind == "remote" else ".dash"
    with Experiment(PREFIX, dash_url=url, dash_root=place).run as experiment:
        told = experiment.files.save("x")

    assert (told["filename"], told["sizeBytes"], len(told)) == ("x", 0, 14)
    assert ("x is not saved" in caplog.text) == (kind != "remote")
    assert ("no copy of artifact 'x'" in caplog.text) == (kind != "local")
    assert door.uploads == []
    for key in door.runs:
        assert "no copy of artifact 'x'" in door.payloads(key, "gap")[0]["reason"]


def test_process_that_does_not_log_reads_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        experiment.metrics("m").log(a=1)
        assert experiment.files.save_text("x", to="x")["sizeBytes"] == 0
        with pytest.raises(NetworkError, match="Only rank 0 logs"):
            experiment.params.get()

    assert door.runs == {}


@pytest.mark.parametrize("place", [None, ".dash"], ids=["remote", "hybrid"])
def test_start_that_the_server_refuses_is_told(place: str | None, door: Door, here: Path) -> None:
    door.fault = lambda path: Answer(400, {"detail": "folder is too long."})

    with pytest.raises(
        ConfigurationError, match=r"does not take the experiment: folder is too long"
    ):
        Experiment(PREFIX, dash_url=door.url, dash_root=place).run.start()
    about = [json.loads(path.read_text()) for path in here.rglob("experiment.json")]
    assert [one["status"] for one in about] == ["FAILED"] * bool(place)


def test_server_that_was_away_is_told_the_path_by_forked_workers_too(door: Door) -> None:
    with Experiment(PREFIX, dash_url=door.url, dash_root=None).run as experiment:
        if (child := os.fork()) == 0:
            experiment.metrics("m").log(a=1)
            os._exit(0)
        os.waitpid(child, 0)

    (key,) = door.runs
    wait_until(lambda: door.payloads(key, "row"))
    joined = door.payloads(key, "start")[1]
    kept = ("source", "namespace", "project_name", "folder", "name")
    assert {name: joined.get(name) for name in kept} == {
        "source": "ml_dash",
        "namespace": "alice",
        "project_name": "p",
        "folder": "a",
        "name": "exp",
    }
    assert "resume" not in joined


def test_spawned_process_ends_an_experiment_of_its_own(door: Door, root: Path) -> None:
    """Whatever its name has in common with its parent's."""
    script = f"""
    from ml_dash import Experiment
    Experiment("alice/p/实验二", dash_url={door.url!r}, dash_root=None).run.start()
    """
    with Experiment("alice/p/实验一", dash_url=door.url, dash_root=None).run:
        code, errors = run_job(script, root, "", **{VARIABLE: os.environ[VARIABLE]})

    assert code == 0, errors
    assert [door.status(key) for key in door.runs] == ["completed", "completed"]


def test_reader_says_what_is_not_there_and_what_is_refused(door: Door) -> None:
    door.fault = lambda path: Answer(404, {"detail": "No such run."})
    with pytest.raises(FileNotFoundError, match=r"^No such run\.$"):
        Remote(door.url).get("/x")
    door.fault = lambda path: Answer(400, {"detail": "limit is odd."})
    with pytest.raises(ValueError, match=r"^limit is odd\.$"):
        Remote(door.url).get("/x", {"limit": "odd ü"})
    assert door.requests[-1][0] == "/x?limit=odd+%C3%BC"
