import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runyard import __version__, cli
from runyard.cli import main
from runyard.spool import Spool

from tests.sdk.conftest import add_rows
from tests.sdk.door import Answer, Door, wait_until
from tests.sdk.gate import open_gate
from tests.sdk.jobs import Job


def test_version_is_that_of_the_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--version"])

    assert exit_info.value.code == 0
    assert capsys.readouterr().out == f"runyard {__version__}\n"


@pytest.fixture
def orphan(make_spool: Callable[..., Spool], door: Door) -> Iterator[Spool]:
    spool = make_spool(url=door.url)
    add_rows(spool, 1_200)
    spool.release()
    return spool


def test_sync_sends_and_says_so(
    orphan: Spool, door: Door, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", str(root)]) == 0

    assert len(door.values("r", "loss")) == 1_200
    assert capsys.readouterr().err == (
        f"p/r: 1,201 of 1,201 records: sent\n1 of 1 spool in {root} sent.\n"
    )
    assert main(["sync"]) == 0, "the default directory"
    assert capsys.readouterr().err == f"0 of 0 spools in {root} sent.\n"


def test_sync_with_a_silent_server_keeps_all_and_fails(
    orphan: Spool, door: Door, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door.fault = lambda path: "hang up"

    assert main(["sync", str(root), "--patience", "0"]) == 1

    assert orphan.segment_path(1).exists()
    errors = capsys.readouterr().err
    assert f"p/r: 0 of 1,201 records: {door.url} is silent" in errors
    assert f"0 of 1 spool in {root} sent." in errors


def test_sync_leaves_running_jobs_alone(
    make_spool: Callable[..., Spool], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_spool()

    assert main(["sync", str(root)]) == 0
    assert capsys.readouterr().err == (f"0 of 0 spools in {root} sent; 1 in use or kept for now.\n")


def test_sync_to_another_server(make_spool: Callable[..., Spool], door: Door, root: Path) -> None:
    spool = make_spool()
    add_rows(spool, 3)
    spool.release()

    assert main(["sync", str(root), "--url", f"{door.url}/tracker"]) == 0
    assert len(door.values("r", "loss")) == 3


def test_deleted_run_is_named_and_kept_for_now(
    orphan: Spool, door: Door, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door.fault = lambda path: Answer(410, {"detail": "The run was deleted."})

    assert main(["sync", str(root)]) == 1
    assert "the run was deleted on the server" in capsys.readouterr().err
    assert main(["sync", str(root)]) == 0, "it is not tried again"
    assert orphan.path.exists()


def test_watch_goes_on_until_ctrl_c(orphan: Spool, door: Door, root: Path) -> None:
    script = """
    import runyard.cli
    runyard.cli.WATCH_S = 0.05
    say("watching")
    sys.exit(runyard.cli.main(["sync", "--watch"]))
    """
    job = Job(script, root, door.url)
    job.wait_for("watching")
    wait_until(lambda: not orphan.path.exists())
    assert job.process.stderr
    report = job.process.stderr.readline()  # it comes right after the spool is gone
    job.process.send_signal(2)
    code, errors = job.end()

    assert code == 130
    assert "p/r: 1,201 of 1,201 records: sent" in report
    assert "Traceback" not in errors


def test_misuse_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "/etc"]) == 2
    assert "/etc belongs to the system" in capsys.readouterr().err
    assert main(["sync", "--url", "foo"]) == 2
    assert "must look like http://host:port, not 'foo'" in capsys.readouterr().err
    table = tmp_path / "run.csv"
    table.write_text("step,loss\n0,1\n")
    assert main(["import", str(table)]) == 2
    said = "runyard: Which server? Pass --url http://host:port or set RUNYARD_URL.\n"
    assert capsys.readouterr().err == said
    with pytest.raises(SystemExit) as exit_info:
        main([])
    assert exit_info.value.code == 2


def examine(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """The status, and the line of each check without its name."""
    status = main(["doctor", *arguments])
    lines = capsys.readouterr().err.splitlines()
    return status, {line[4:].split()[0]: f"{line[:2]} {line[15:]}" for line in lines}


def test_doctor_finds_all_well(
    door: Door, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "secret")
    door.fault = lambda path: {
        "/health": Answer(200, {"status": "ok"}),
        "/ingest/v1/batch": Answer(405),
        "/auth/me": Answer(200, {"username": "alice"}),
    }[path]

    status, lines = examine(capsys, "--url", door.url)

    assert status == 0
    assert list(lines) == ["version", "directory", "disk", "waiting", "server", "token"]
    assert all(line.startswith("ok ") for line in lines.values())
    assert lines["directory"].startswith(f"ok {root} (4 KiB reach the disk in ")
    assert lines["token"] == "ok RUNYARD_TOKEN is sent; it is alice's and may read and write"
    assert "secret" not in str(lines)
    assert list(root.iterdir()) == []


def test_doctor_finds_what_is_wrong(
    orphan: Spool, door: Door, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door.fault = lambda path: Answer(200, {"status": "a print server"})
    letter = root / "dead-letter" / "x.jsonl"

    status, lines = examine(capsys, "--url", door.url)
    letter.parent.mkdir()
    letter.write_text(json.dumps({}))
    _, more = examine(capsys, "--url", "http://127.0.0.1:1")

    assert status == 1
    assert lines["waiting"] == f"!! 1 ended job has left records; run: runyard sync {root}"
    assert lines["server"] == f"!! {door.url} is no Runyard server: it answers with 200"
    assert more["waiting"].startswith("!! the server refused records of 1 run: see ")
    assert more["server"].startswith("!! http://127.0.0.1:1 does not answer: ConnectionRefused")


def test_doctor_without_a_server_has_nothing_to_complain_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, lines = examine(capsys)

    assert status == 0
    assert lines["server"] == "ok none by default: scripts must pass tracker_uri"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Somebody sits before a terminal and types the password; the questions."""
    questions: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda question: questions.append(question) or "pass")
    yield questions
    cli._credentials.cache_clear()


def test_sync_asks_once_for_the_password_of_who_logged(
    make_spool: Callable[..., Spool], root: Path, typed: list[str]
) -> None:
    with open_gate() as gate:
        for key in ("a", "b"):
            spool = make_spool(url=gate.url, key=key, user="user")
            add_rows(spool, 3)
            spool.release()

        assert main(["sync", str(root)]) == 0

        assert typed == [f"Password of user at {gate.url}: "]
        assert [len(gate.values(key, "loss")) for key in "ab"] == [3, 3]
        assert len(gate.logins) == 1


def test_sync_goes_on_where_the_password_is_not_said(
    make_spool: Callable[..., Spool],
    root: Path,
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def press_ctrl_d(question: str) -> str:
        raise EOFError(question)

    monkeypatch.setattr("getpass.getpass", press_ctrl_d)
    with open_gate() as gate:
        make_spool(url=gate.url, user="user").release()

        assert main(["sync", str(root), "--patience", "0"]) == 1
        assert f"{gate.url} does not let us in" in capsys.readouterr().err


def test_sync_rather_takes_a_token_than_asks(
    make_spool: Callable[..., Spool],
    root: Path,
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNYARD_TOKEN", "secret")
    with open_gate() as gate:
        gate.tokens.add("secret")
        make_spool(url=gate.url, user="user").release()

        assert main(["sync", str(root)]) == 0
        assert typed == []


def test_sync_says_who_does_not_let_it_in(
    make_spool: Callable[..., Spool], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_gate() as gate:
        make_spool(url=gate.url).release()

        assert main(["sync", str(root), "--patience", "0"]) == 1
        assert f"p/r: 0 of 1 record: {gate.url} does not let us in" in capsys.readouterr().err
