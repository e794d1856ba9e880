"""Whether somebody logs to an experiment, as others can tell."""

import os
import signal
from pathlib import Path

import pytest
from runyard.dash.reading import LIFE_FILE, find_experiments, read_experiment
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import ABOUT, count_descriptors, wait_until
from tests.sdk.dash.test_processes import finish, start


def is_alive(store: DashStore) -> bool:
    return read_experiment(store.home).is_alive


@pytest.fixture
def ended(store: DashStore) -> DashStore:
    """An experiment that nobody has open."""
    store.finish("COMPLETED")
    return store


def test_experiment_is_alive_from_start_to_finish(dash_root: Path) -> None:
    store = DashStore(dash_root)
    before = count_descriptors()
    store.start(ABOUT)
    seen = [is_alive(store)]
    store.finish("COMPLETED")
    seen.append(is_alive(store))
    store.append_row("train", {"late": 1}, {})
    seen.append(is_alive(store))
    store.start(ABOUT)
    store.start(ABOUT)
    seen.append(is_alive(store))
    store.finish("COMPLETED")

    assert seen == [True, False, False, True]
    assert not (store.home / LIFE_FILE).exists()
    assert count_descriptors() == before


def test_another_experiment_of_the_same_store_takes_its_life_along(store: DashStore) -> None:
    first = store.home
    store.start(ABOUT._replace(prefix="alice/proj/a/other", name="other"))

    assert (read_experiment(first).is_alive, is_alive(store)) == (False, True)


def test_experiment_is_alive_while_one_of_its_processes_is(ended: DashStore) -> None:
    script = """
signal.signal(signal.SIGUSR1, lambda *_: (store.finish('COMPLETED'), os._exit(0)))
print('ready', flush=True)
while True:
    signal.pause()
"""
    ended.start(ABOUT)
    job = start(script, ended.root)
    assert job.stdout
    assert job.stdout.readline() == "ready\n"
    ended.finish("COMPLETED")
    seen = is_alive(ended)
    job.send_signal(signal.SIGUSR1)
    finish(job)

    assert (seen, is_alive(ended)) == (True, False)
    assert not (ended.home / LIFE_FILE).exists(), "the last one takes it away"


def test_killed_job_is_not_alive(ended: DashStore) -> None:
    job = start("print('ready', flush=True); signal.pause()", ended.root)
    assert job.stdout
    assert job.stdout.readline() == "ready\n"
    seen = is_alive(ended)
    job.kill()
    job.communicate()

    assert (seen, is_alive(ended)) == (True, False)
    assert list(find_experiments(ended.root)) == [ended.home]
    assert read_experiment(ended.home).problems == []


@pytest.mark.parametrize(("first_row", "is_left"), [("", False), ("write('child', 1)", True)])
def test_forked_child_that_logs_outlives_its_parent(
    ended: DashStore, first_row: str, is_left: bool
) -> None:
    script = f"""
pid = os.fork()
if not pid:
    {first_row or "pass"}
    print(os.getpid(), flush=True)
    signal.pause()
signal.pause()
"""
    job = start(script, ended.root)
    assert job.stdout
    child = int(job.stdout.readline())
    try:
        both = is_alive(ended)
        job.kill()
        job.wait()
        left = is_alive(ended)
    finally:
        os.kill(child, signal.SIGKILL)
    job.communicate()

    assert (both, left) == (True, is_left)
    wait_until(lambda: not is_alive(ended))


def test_life_that_cannot_be_shown_stops_nothing(
    ended: DashStore, caplog: pytest.LogCaptureFixture
) -> None:
    (ended.home / LIFE_FILE).mkdir()
    ended.start(ABOUT)
    ended.append_row("train", {"i": 1}, {})
    ended.finish("COMPLETED")

    assert not is_alive(ended)
    assert [f"{ended.home} is alive" in text for text in caplog.messages] == [True]
