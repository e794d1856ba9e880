import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runyard import kept as kept_module
from runyard.cli import main
from runyard.credentials import Credentials
from runyard.kept import give_up, kept_paths, sweep_kept
from runyard.orphans import adopt_of_run
from runyard.spool import Spool

from tests.sdk.conftest import add_rows
from tests.sdk.door import Answer, Door

MakeSpool = Callable[..., Spool]
ROWS = [(step, float(step)) for step in range(30)]


@pytest.fixture
def sent(make_spool: MakeSpool, root: Path, door: Door) -> Spool:
    """All of it has arrived."""
    return send_all(make_spool, root, door)


def send_all(make_spool: MakeSpool, root: Path, door: Door) -> Spool:
    spool = make_spool(url=door.url)
    add_rows(spool, 30)
    spool.release()
    adopt_of_run(root, spool.meta.run_uid, Credentials(), limit_s=5)
    return spool


def test_restored_server_is_sent_again_what_it_lacks(
    sent: Spool, root: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.watermarks[sent.meta.producer] = 11
    door.points["r"] = [point for point in door.points["r"] if point[1] <= 11]

    assert main(["sync", str(root)]) == 0

    assert door.values("r", "loss") == ROWS
    assert capsys.readouterr().err == (
        f"0 of 0 spools in {root} sent.\np/r: 31 of 31 records: sent again\n"
    )
    assert [path.name for path in kept_paths(root)] == [sent.meta.producer]


def test_server_that_never_heard_of_the_run_is_sent_all_of_it(
    sent: Spool, root: Path, door: Door
) -> None:
    for memory in (door.watermarks, door.runs, door.run_of, door.points, door.events):
        memory.clear()

    assert main(["sync", str(root)]) == 0

    assert door.values("r", "loss") == ROWS
    assert door.payloads("r", "start") == [sent.meta.start]


def test_server_that_lacks_nothing_is_asked_once_and_told_nothing(
    sent: Spool, root: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    door.requests.clear()

    assert main(["sync", str(root)]) == 0

    assert len(door.requests) == 1
    assert door.values("r", "loss") == ROWS
    assert capsys.readouterr().err == f"0 of 0 spools in {root} sent.\n"


def test_silent_server_is_asked_for_one_spool_only(
    make_spool: MakeSpool, root: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        send_all(make_spool, root, door)
    door.requests.clear()
    door.fault = lambda path: "hang up"

    assert main(["sync", str(root), "--patience", "0"]) == 0, "nothing is known to be lacking"

    assert len(door.requests) == 1
    assert len(kept_paths(root)) == 3
    assert capsys.readouterr().err.splitlines() == [
        f"0 of 0 spools in {root} sent.",
        f"{door.url} could not be asked whether it still has what it was sent before.",
    ]


def test_spool_of_a_deleted_run_is_not_kept(sent: Spool, root: Path, door: Door) -> None:
    door.fault = lambda path: Answer(410, {"detail": "The run was deleted."})

    assert main(["sync", str(root)]) == 0

    assert kept_paths(root) == []


def test_kept_spools_go_when_they_are_old(sent: Spool, root: Path) -> None:
    sweep_kept(root)
    assert len(kept_paths(root)) == 1

    two_days_ago = time.time() - 2 * 86_400
    os.utime(kept_paths(root)[0], (two_days_ago, two_days_ago))
    sweep_kept(root)
    assert kept_paths(root) == []


def test_oldest_kept_spools_go_first_where_there_is_no_room(
    make_spool: MakeSpool, root: Path, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = [send_all(make_spool, root, door) for _ in range(3)]
    for age, spool in enumerate(reversed(spools)):
        os.utime(root / "sent" / spool.meta.producer, (time.time() - 100 * age,) * 2)
    size = kept_module.measure(kept_paths(root)[0])
    monkeypatch.setattr(kept_module, "MAX_BYTES", int(2.5 * size))

    sweep_kept(root)

    assert [path.name for path in kept_paths(root)] == [
        spool.meta.producer for spool in reversed(spools[1:])
    ]


def test_kept_spools_give_way_to_what_is_new(sent: Spool, root: Path) -> None:
    give_up(root)

    assert list((root / "sent").iterdir()) == []


def test_spool_that_another_process_takes_away_is_not_listed(
    sent: Spool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = kept_paths(root)
    monkeypatch.setattr(Path, "is_dir", lambda self: self.exists() and not self.rename(root / "x"))

    assert kept_paths(root) == []
    assert not path.exists()


def test_doctor_takes_nothing_that_has_arrived_for_waiting(
    sent: Spool, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept_paths(root)[0] / "more").write_bytes(bytes(5 * 1024**2))

    main(["doctor", str(root)])

    assert "ok  disk       0.0 MiB wait here" in capsys.readouterr().err.splitlines()
