import subprocess
import sys

import pytest

from tests.sdk.jobs import SDK

LIST_MODULES = """
import importlib, sys
before = set(sys.modules)
importlib.import_module(sys.argv[1])
print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))
slow = {'http', 'ssl', 'argparse', 'numpy', 'socket', 'asyncio', 'multiprocessing', 'dataclasses'}
print(*sorted(slow & set(sys.modules)))
"""


@pytest.mark.parametrize("facade", ["aspara", "ai_manager", "ml_dash"])
def test_import_pulls_in_the_standard_library_and_msgpack_and_nothing_slow(facade: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, facade],
        env={"PYTHONPATH": str(SDK)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    loaded, slow = outcome.stdout.split("\n")[:2]

    foreign = {name for name in loaded.split() if "cython" not in name} - sys.stdlib_module_names
    assert foreign == {facade, "runyard", "msgpack"}, "cython: what msgpack is built with"
    assert slow == ""
