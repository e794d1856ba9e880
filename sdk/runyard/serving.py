"""The server, where it is installed beside the SDK. It is started, never imported."""

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from runyard import locks

SETTINGS = "config.settings"
HOW_TO_GET_IT = (
    "The server is not installed here: this Python has only what jobs need. In a checkout of Runyard"
    " `make setup` installs both, and .venv/bin/aspara is this command with the server; or install"
    " the package runyard-server into this environment."
)


class NoServerHere(RuntimeError):
    """The text says how to get one."""


def become_server(arguments: Sequence[str], settings: Mapping[str, str]) -> NoReturn:
    """`serve` in the place of this process, so that signals and the exit code are the server's.

    `settings`: variables of its environment. Raises: NoServerHere.
    """
    if not is_installed():
        raise NoServerHere(HOW_TO_GET_IT)
    # -P: a `config` or `tracking` in the directory one happens to stand in is somebody else's.
    command = [sys.executable, "-P", "-m", "runyard.serving", "serve", *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(  # noqa: S606 -- our own server, no shell
        sys.executable, command, {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, **settings}
    )


def run_command() -> None:
    """A command of the server, in the process that has become it. It takes seconds to load."""
    try:
        runpy.run_module("django", run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.exit(130)


def is_installed() -> bool:
    return all(
        _lies_in(package, file)
        for package, file in (
            ("config", "settings.py"),
            ("tracking", "management/commands/serve.py"),
            ("django", "__main__.py"),
        )
    )


def _lies_in(package: str, file: str) -> bool:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return False
    places = spec.submodule_search_locations if spec else None
    return any((Path(place) / file).is_file() for place in places or ())


def is_in_use(data_dir: Path) -> bool:
    """Whether a server runs on this directory."""
    path = data_dir / "serve.lock"
    if not path.exists():
        return False
    lock = locks.hold_lock(path)
    if lock is None:
        return True
    locks.let_go(lock)
    return False


if __name__ == "__main__":
    run_command()
