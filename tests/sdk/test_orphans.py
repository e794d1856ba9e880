import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runyard.credentials import Credentials
from runyard.memory import known_next_step
from runyard.orphans import (
    adopt,
    adopt_in_background,
    adopt_of_run,
    spool_paths,
    sweep_spools,
)
from runyard.spool import Spool

from tests.sdk.conftest import add_rows
from tests.sdk.door import Door, wait_until

MakeSpool = Callable[..., Spool]


def make_orphan(make_spool: MakeSpool, count: int, **meta: str) -> Spool:
    spool = make_spool(**meta)
    add_rows(spool, count)
    spool.release()
    return spool


def test_orphans_of_the_same_server_are_brought_home(
    make_spool: MakeSpool, root: Path, door: Door
) -> None:
    make_orphan(make_spool, 30, url=door.url)
    elsewhere = make_orphan(make_spool, 5)
    alive = make_spool(url=door.url, key="alive")
    add_rows(alive, 5)

    adopt_in_background(root, door.url, Credentials())

    wait_until(lambda: len(spool_paths(root)) == 2)
    assert set(spool_paths(root)) == {elsewhere.path, alive.path}
    assert door.values("r", "loss") == [(step, float(step)) for step in range(30)]
    assert known_next_step(root, "p", "r") == 30


def test_orphan_is_sent_on_from_where_the_server_stands(
    make_spool: MakeSpool, root: Path, door: Door
) -> None:
    spool = make_orphan(make_spool, 30, url=door.url)
    run_uid = spool.meta.run_uid
    door.runs["r"] = {"uid": run_uid, "key": "r", "created": True}
    door.run_of[spool.meta.producer] = "r"
    door.watermarks[spool.meta.producer] = 21

    adopt_of_run(root, run_uid, Credentials(), limit_s=1)

    assert door.values("r", "loss") == [(step, float(step)) for step in range(20, 30)]
    assert spool_paths(root) == []


def test_orphans_stay_when_the_server_is_away(
    make_spool: MakeSpool, root: Path, door: Door
) -> None:
    door.fault = lambda path: "hang up"
    spool = make_orphan(make_spool, 3, url=door.url)

    adopt_of_run(root, spool.meta.run_uid, Credentials(), limit_s=1)

    assert spool_paths(root) == [spool.path]
    adopted = Spool.adopt(spool.path)
    assert adopted, "it was let go of"
    adopted.release()


def test_refused_spool_is_kept_for_a_week(make_spool: MakeSpool) -> None:
    spool = make_orphan(make_spool, 3)
    stopped = spool.path / "stopped"
    stopped.write_text("the run was deleted")
    days_ago = [time.time() - days * 86_400 for days in (6, 8)]

    os.utime(stopped, (days_ago[0],) * 2)
    assert adopt(spool.path) is None
    assert spool.path.exists()
    os.utime(stopped, (days_ago[1],) * 2)
    assert adopt(spool.path) is None
    assert not spool.path.exists()


def test_spool_that_holds_nothing_is_removed(make_spool: MakeSpool, root: Path, door: Door) -> None:
    spool = make_orphan(make_spool, 0, url=door.url)
    spool.segment_path(1).unlink()

    adopt_of_run(root, spool.meta.run_uid, Credentials(), limit_s=1)

    assert spool_paths(root) == []
    assert door.requests == []


@pytest.mark.parametrize("name", [".half-made", "file"])
def test_what_is_no_spool_is_left_alone(root: Path, name: str) -> None:
    (root / "spool").mkdir(parents=True)
    path = root / "spool" / name
    path.touch() if name == "file" else path.mkdir()

    assert spool_paths(root) == []


def test_half_removed_spool_is_swept_once_it_is_old(make_spool: MakeSpool, root: Path) -> None:
    orphan = make_orphan(make_spool, 3)
    left = orphan.path.rename(orphan.path.with_name(f".{orphan.path.name}"))
    (left / "lock").unlink()
    (left / "meta.json").unlink()

    sweep_spools(root)
    assert left.is_dir()

    os.utime(left, (0, 0))
    sweep_spools(root)
    assert not left.exists()


def test_spool_in_the_making_is_not_swept(make_spool: MakeSpool, root: Path) -> None:
    spool = make_spool()
    draft = spool.path.rename(spool.path.with_name(f".{spool.path.name}"))
    os.utime(draft, (0, 0))

    sweep_spools(root)

    assert draft.is_dir()
    spool.release()
