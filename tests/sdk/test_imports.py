import subprocess
import sys

from tests.sdk.jobs import SDK

LIST_MODULES = """
import sys
before = set(sys.modules)
import aspara
print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))
print(*sorted({'http', 'ssl', 'argparse', 'numpy', 'socket', 'asyncio', 'multiprocessing'} & set(sys.modules)))
"""


def test_import_pulls_in_the_standard_library_and_msgpack_and_nothing_slow() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", LIST_MODULES],
        env={"PYTHONPATH": str(SDK)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    loaded, slow = outcome.stdout.split("\n")[:2]

    foreign = {name for name in loaded.split() if "cython" not in name} - sys.stdlib_module_names
    assert foreign == {"aspara", "runyard", "msgpack"}, "cython: what msgpack is built with"
    assert slow == ""
