"""Processes that die, fork, and write to one experiment at the same time."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

from runyard.dash.reading import read_experiment
from runyard.dash.store import DashStore

from tests.sdk.dash.conftest import ABOUT, read_data, read_lines
from tests.sdk.jobs import SDK, TIMEOUT_S

PREAMBLE = f"""
import os, resource, signal, sys, threading
from datetime import datetime
from runyard.dash.records import About
from runyard.dash.store import DashStore

store = DashStore(sys.argv[1])
store.start(About(*{tuple(ABOUT)!r}))

def write(who, count):
    for i in range(count):
        store.append_row("train", {{"who": who, "i": i}}, {{}})
        store.log(f"{{who}} {{i}}", "info", {{}}, datetime(2026, 5, 1))
"""


def start(script: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script, str(root)],
        env={"PYTHONPATH": str(SDK), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*jobs: subprocess.Popen[str]) -> list[str]:
    """What each wrote to stderr; all must have ended well."""
    errors = [job.communicate(timeout=TIMEOUT_S)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * len(jobs), errors
    return errors


def check_all_there(store: DashStore, writers: dict[str, int]) -> None:
    """Everybody's rows and lines, in order, under numbers without gap or repeat."""
    rows = read_data(store, "train")
    logs = read_lines(store.home / "logs" / "logs.jsonl")
    assert [line["sequenceNumber"] for line in logs] == list(range(len(logs)))
    for who, count in writers.items():
        assert [row["i"] for row in rows if row["who"] == who] == list(range(count))
        told = [line["message"] for line in logs if line["message"].startswith(f"{who} ")]
        assert told == [f"{who} {i}" for i in range(count)]
    assert len(rows) == len(logs) == sum(writers.values())


def test_processes_write_to_one_experiment_together(store: DashStore) -> None:
    jobs = [start(f"write('{who}', 300)", store.root) for who in "abc"]
    for i in range(300):
        store.append_row("train", {"who": "me", "i": i}, {})
        store.log(f"me {i}", "info", {}, _noon())
    finish(*jobs)

    check_all_there(store, {"a": 300, "b": 300, "c": 300, "me": 300})
    assert store.stats("train")["totalDataPoints"] == "1200"
    assert (store.home / "logs" / ".log_sequence").read_text() == "1200"


def test_params_of_processes_are_all_kept(store: DashStore) -> None:
    script = "[store.set_params({f'{who}{i}': i}) for i in range(30)]"
    finish(*[start(f"who = '{who}'; {script}", store.root) for who in "ab"])

    assert store.get_params() == {f"{who}{i}": i for who in "ab" for i in range(30)}
    assert json.loads((store.home / "parameters.json").read_text())["version"] == 60


def test_threads_write_to_one_store_together(store: DashStore) -> None:
    def write(who: str) -> None:
        for i in range(300):
            store.append_row("train", {"who": who, "i": i}, {})
            store.log(f"{who} {i}", "info", {}, _noon())

    threads = [threading.Thread(target=write, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)

    check_all_there(store, {"a": 300, "b": 300, "c": 300})


def test_forked_children_write_beside_their_parent(store: DashStore) -> None:
    script = """
write('before', 5)
children = []
for who in 'ab':
    pid = os.fork()
    if not pid:
        write(who, 200)
        os._exit(0)
    children.append(pid)
write('parent', 200)
codes = [os.waitpid(pid, 0)[1] for pid in children]
store.finish('COMPLETED')
sys.exit(any(codes))
"""
    finish(start(script, store.root))

    check_all_there(store, {"before": 5, "a": 200, "b": 200, "parent": 200})
    words = json.loads((store.home / "metrics/train/metadata.json").read_text())
    assert (words["nextIndex"], words["totalDataPoints"]) == (605, 605)


def test_killed_job_has_all_it_logged_in_the_files(store: DashStore) -> None:
    job = start("write('a', 100); print('done', flush=True); signal.pause()", store.root)
    assert job.stdout
    assert job.stdout.readline() == "done\n"
    job.kill()
    job.communicate()

    check_all_there(store, {"a": 100})
    store.append_row("train", {"who": "next", "i": 0}, {})
    store.log("next 0", "info", {}, _noon())
    check_all_there(store, {"a": 100, "next": 1})
    assert store.stats("train")["count"] == 101


def test_job_killed_in_the_middle_of_everything_damages_nothing(dash_root: Path) -> None:
    script = """
print('go', flush=True)
for i in range(10**9):
    write('a', 3)
    store.set_params({'i': i})
    store.flush()
"""
    for _ in range(8):
        job = start(script, dash_root)
        assert job.stdout
        assert job.stdout.readline() == "go\n"
        threading.Event().wait(0.03)
        job.send_signal(signal.SIGKILL)
        job.communicate()

    store = DashStore(dash_root)
    store.start(ABOUT)
    store.append_row("train", {"i": -1}, {})
    store.log("end", "info", {}, _noon())
    store.finish("COMPLETED")
    experiment = read_experiment(store.home)
    rows, logs = read_data(store, "train"), list(experiment.logs())
    assert [line["sequenceNumber"] for _, line in logs] == list(range(len(logs)))
    assert len(rows) > 8
    assert list(experiment.params) == ["i"]
    assert experiment.problems == []


def test_exit_without_an_end_leaves_the_figures_right(store: DashStore) -> None:
    finish(start("write('a', 10)", store.root))

    words = json.loads((store.home / "metrics/train/metadata.json").read_text())
    assert words["nextIndex"] == 10
    assert read_experiment(store.home).status == "RUNNING"


def test_signal_handler_that_ends_the_experiment_does_not_wait_for_ever(store: DashStore) -> None:
    script = """
def end(*_):
    write('handler', 2)
    store.set_params({'p': 1})
    store.finish('CANCELLED')
    os._exit(0)

signal.signal(signal.SIGALRM, end)
signal.setitimer(signal.ITIMER_REAL, 0.2)
while True:
    write('a', 1)
    store.set_params({'i': 1})
"""
    finish(start(script, store.root))

    experiment = read_experiment(store.home)
    assert experiment.status == "CANCELLED"
    assert experiment.params == {"i": 1, "p": 1}
    assert [row for row in read_data(store, "train") if row["who"] == "handler"][-1]["i"] == 1


def test_full_disk_is_told_once_and_the_job_goes_on(store: DashStore) -> None:
    script = """
write('a', 5)
resource.setrlimit(resource.RLIMIT_FSIZE, (700, resource.RLIM_INFINITY))
write('b', 500)
store.set_params({'long': 'x' * 1000})
assert store.get_params() == {'long': 'x' * 1000}
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write('c', 5)
store.finish('COMPLETED')
"""
    (errors,) = finish(start(script, store.root))

    rows, logs = read_data(store, "train"), read_lines(store.home / "logs" / "logs.jsonl")
    assert [line["sequenceNumber"] for line in logs] == list(range(len(logs)))
    written = [row for row in rows if row["who"] == "b"]
    told = [line for line in logs if line["message"].startswith("b ")]
    lost = f"log lines: {500 - len(told)}, rows: {500 - len(written)}"
    assert 0 < len(written) < 20
    assert [row["i"] for row in rows if row["who"] == "c"] == list(range(5))
    assert store.get_params() == {"long": "x" * 1000}, "kept until there was room"
    first, second, third = errors.splitlines()
    assert "What is logged now is LOST" in first
    assert f"can be written to again. Lost so far: {lost}." in second
    assert f"Lost for good: {lost}." in third


def _noon() -> datetime:
    return datetime(2026, 5, 1, 12)  # noqa: DTZ001 -- as people pass it
