"""Jobs that log into files, and die in every way there is."""

import random
import time
from pathlib import Path

import pytest
from runyard.aspara_store.layout import RunPaths
from runyard.aspara_store.reading import StoredRun, read_run

from tests.sdk.aspara.runs import LOG_TEN, TEN, about, job, run_to_its_end
from tests.sdk.aspara_store.files import points_of, run_script


def test_killed_job_loses_nothing_and_is_seen_to_be_dead(data: Path, backend: str) -> None:
    running = job(
        f'{LOG_TEN}    say("logged")\n    listen()\n', data, ASPARA_STORAGE_BACKEND=backend
    )
    running.wait_for("logged")
    alive = read_run(data, "p", "r").is_alive

    running.kill()

    run = read_run(data, "p", "r")
    assert (alive, run.is_alive, run.about.status) == (True, False, None)
    assert points_of(data, "p", "r") == TEN
    run_to_its_end(LOG_TEN.replace('"r"', '"r", resume=True'), data, backend)
    assert points_of(data, "p", "r") == [*TEN, *((10 + i, "loss", float(i)) for i in range(10))]


def test_forked_children_log_to_the_run_and_do_not_end_it(data: Path, backend: str) -> None:
    script = f"""
    {LOG_TEN}
    for child in range(3):
        if os.fork() == 0:
            for step in range(20):
                aspara.log({{f"child/{{child}}": step}}, step=step)
            run.summary[f"child-{{child}}"] = child
            if child == 0:
                os._exit(0)
            sys.exit(0) if child == 1 else os.kill(os.getpid(), signal.SIGKILL)
    for child in range(3):
        os.wait()
    assert not os.path.exists(os.path.join(os.environ["ASPARA_DATA_DIR"], "p", "r_archive"))
    aspara.log({{"loss": 10}})
    """

    run_to_its_end(script.replace("    \n", "\n"), data, backend)

    points = points_of(data, "p", "r")
    assert [point for point in points if point[1] == "loss"] == [*TEN, (10, "loss", 10.0)]
    for child in range(3):
        mine = [point for point in points if point[1] == f"child/{child}"]
        assert mine == [(step, f"child/{child}", float(step)) for step in range(20)]
    assert about(data).summary == {f"child-{child}": child for child in range(3)}
    assert about(data).status == "completed"


def test_run_is_alive_while_one_of_its_processes_is(data: Path) -> None:
    script = """
    aspara.init(project="p", name="r")
    if os.fork() == 0:
        aspara.log({"child": 1})
        say("child")
        listen()
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    running = job(script, data)
    running.wait_for("child")
    running.process.wait(20)

    with_child = read_run(data, "p", "r").is_alive
    running.go_on()
    running.end()

    assert (with_child, read_run(data, "p", "r").is_alive) == (True, False)


def test_child_that_never_logs_does_not_keep_the_run_alive(data: Path) -> None:
    script = """
    aspara.init(project="p", name="r")
    if os.fork() == 0:
        say("child")
        listen()
        os._exit(0)
    listen()
    """
    running = job(script, data)
    running.wait_for("child")
    running.process.kill()
    running.process.wait(20)

    assert not read_run(data, "p", "r").is_alive
    running.go_on()
    running.end()


def test_child_forked_in_the_middle_of_everything_neither_hangs_nor_doubles(data: Path) -> None:
    script = """
    import threading
    run = aspara.init(project="p", name="r")

    def hammer(name):
        for step in range(2_000):
            run.log({name: step}, step=step)
            if step % 50 == 0:
                run.summary[name] = step

    threads = [threading.Thread(target=hammer, args=(f"t{i}",)) for i in range(2)]
    [thread.start() for thread in threads]
    for child in range(20):
        if os.fork() == 0:
            run.log({"child": child}, step=child)
            run.summary["child"] = child
            os._exit(0)
    for child in range(20):
        os.wait()
    [thread.join() for thread in threads]
    """

    run_to_its_end(script, data)

    points = points_of(data, "p", "r")
    assert sorted(point for point in points if point[1] == "child") == [
        (n, "child", float(n)) for n in range(20)
    ]
    for name in ("t0", "t1"):
        mine = [point for point in points if point[1] == name]
        assert mine == [(step, name, float(step)) for step in range(2_000)]
    assert {name: about(data).summary[name] for name in ("t0", "t1")} == {"t0": 1950, "t1": 1950}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_workers_log_to_the_run(data: Path, backend: str, method: str) -> None:
    script = f"""
    import multiprocessing

    def work(number):
        run = aspara._current or aspara.init(project="p")
        for step in range(5):
            run.log({{f"worker/{{number}}": step}}, step=step)

    if __name__ == "__main__":
        context = multiprocessing.get_context("{method}")
        aspara.init(project="p", name="r")
        workers = [context.Process(target=work, args=(number,)) for number in range(2)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        assert [worker.exitcode for worker in workers] == [0, 0]
    """

    run_to_its_end(script, data, backend)

    points = points_of(data, "p", "r")
    for number in range(2):
        name = f"worker/{number}"
        mine = [point for point in points if point[1] == name]
        assert mine == [(step, name, float(step)) for step in range(5)]
    assert about(data).status == "completed"
    assert [path.name for path in (data / "p").glob("*.meta.json")] == ["r.meta.json"]


def test_of_processes_that_want_one_name_one_gets_it(data: Path) -> None:
    script = """
    say("ready")
    listen()
    try:
        aspara.init(project="p", name="r").log({"loss": 1})
    except RuntimeError as error:
        sys.exit(7)
    """
    jobs = [job(script, data) for _ in range(4)]
    for one in jobs:
        one.wait_for("ready")
    for one in jobs:
        one.go_on()

    codes = sorted(one.end()[0] for one in jobs)

    assert codes == [0, 7, 7, 7]
    assert points_of(data, "p", "r") == [(0, "loss", 1.0)]


def test_two_jobs_that_resume_one_run_lose_nothing(data: Path, backend: str) -> None:
    script = """
    run = aspara.init(project="p", name="r", resume=True)
    say("ready")
    listen()
    me = os.environ["ME"]
    for step in range(3_000):
        run.log({me: step, "padding": 0.123456789}, step=step)
    for i in range(20):
        run.config[f"{me}-{i}"] = i
    """
    run_to_its_end(LOG_TEN, data, backend)
    jobs = [job(script, data, ME=me, ASPARA_STORAGE_BACKEND=backend) for me in "ab"]
    for one in jobs:
        one.wait_for("ready")
    for one in jobs:
        one.go_on()
    assert [one.end() for one in jobs] == [(0, ""), (0, "")]

    points = points_of(data, "p", "r")
    for me in "ab":
        mine = [point for point in points if point[1] == me]
        assert mine == [(step, me, float(step)) for step in range(3_000)]
    assert about(data).config == {f"{me}-{i}": i for me in "ab" for i in range(20)}


def test_reader_beside_a_writer_sees_each_point_once_and_in_order(data: Path) -> None:
    pytest.importorskip("polars")
    script = """
    from runyard.aspara_store import backends
    backends.WAL_BYTES = 20_000
    run = aspara.init(project="p", name="r", storage_backend="polars")
    say("ready")
    for step in range(5_000):
        run.log({"loss": step})
    """
    running = job(script, data)
    running.wait_for("ready")
    found: list[float] = []

    while True:
        is_over = running.process.poll() is not None
        run = StoredRun(RunPaths(data, "p", "r"))
        found += [record.row.values["loss"] for record in run.records(len(found))]
        assert run.problems == []
        if is_over:
            break

    assert running.end()[0] == 0
    assert found == [float(step) for step in range(5_000)]


def test_job_killed_at_any_time_leaves_whole_lines(data: Path, backend: str) -> None:
    script = """
    from runyard.aspara_store import backends
    backends.WAL_BYTES = 5_000
    run = aspara.init(project="p", name="r", resume=True)
    say("ready")
    step = 0
    while True:
        run.log({"loss": step}, step=step)
        os.write(1, b".")
        step += 1
    """
    running = job(script, data, ASPARA_STORAGE_BACKEND=backend)
    assert running.process.stdout
    running.wait_for("ready")
    running.process.stdout.read(1_500)
    running.kill()

    steps = [step for step, _, _ in points_of(data, "p", "r")]
    assert steps == list(range(len(steps)))
    assert len(steps) >= 1_500


@pytest.mark.full
def test_job_killed_over_and_over_loses_and_doubles_nothing(data: Path, backend: str) -> None:
    script = """
    from runyard.aspara_store import archive, backends
    backends.WAL_BYTES, archive.FILE_BYTES = 3_000, 6_000
    run = aspara.init(project="p", name="r", resume=True)
    step = run._core.next_step
    while True:
        run.log({"loss": step}, timestamp=1_700_000_000_000 + step * 40_000)
        os.write(2, b"%d\\n" % step)
        step += 1
    """
    pauses = random.Random(7)
    for _ in range(30):
        running = job(script, data, ASPARA_STORAGE_BACKEND=backend)
        assert running.process.stderr
        running.process.stderr.readline()
        time.sleep(pauses.uniform(0, 0.4))
        running.process.kill()
        _, logged = running.process.communicate(timeout=20)
        steps = [record.row.step for record in read_run(data, "p", "r").records()]

        assert steps == list(range(len(steps)))
        assert len(steps) > max(map(int, logged.split()[:-1]), default=0)


def test_local_mode_imports_nothing_foreign(data: Path) -> None:
    script = (
        "import sys\n"
        "before = set(sys.modules)\n"  # what a machine's own Python brings along
        "import aspara\n"
        "run = aspara.init(name='r'); run.log({'a': 1}); run.summary['b'] = 1; run.finish()\n"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "names -= sys.stdlib_module_names\n"
        "names = {name for name in names if 'cython' not in name} - {'__main__'}\n"
        "print('#', *sorted(name for name in names if not name.startswith('_')))\n"
    )

    outcome = run_script(script, data)

    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.splitlines()[-1].split() == ["#", "aspara", "msgpack", "runyard"]
