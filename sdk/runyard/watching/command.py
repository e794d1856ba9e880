"""`runyard watch`: runs in files, shown by a server while they are written."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from runyard import config
from runyard.importing.lanes import open_couriers
from runyard.importing.source import Options
from runyard.transport import HttpTransport, parse_address
from runyard.watching.console import Console
from runyard.watching.loop import Watcher
from runyard.watching.memory import Memory, memory_path
from runyard.watching.roots import Root

HELP = "bring runs in files to the server while they are written, and edits back into the files"
INTERRUPTED = 130
PATIENCE_S = 5.0  # with a silent server, before the files are looked at again


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("watch", help=HELP, description=HELP)
    parser.add_argument("paths", nargs="+", metavar="DIR", help="of Aspara or ML-Dash")
    parser.add_argument("--url", help="default: $RUNYARD_URL")
    parser.add_argument("--project", default="", help="another project than the runs name")
    parser.add_argument("--state", metavar="DIR", help="where to remember how far this is")
    parser.set_defaults(work=run_watch)
    parser.add_argument(
        "--until-input-ends", action="store_true", help="as a child of a process that may die"
    )


def run_watch(options: argparse.Namespace) -> int:
    """Until Ctrl-C, as which it returns 130, or SIGTERM. Raises: ValueError, OSError."""
    address = parse_address(config.server_url(options.url))
    paths = list(dict.fromkeys(Path(path).expanduser().resolve() for path in options.paths))
    with ExitStack() as stack:
        roots = [
            Root(path, _remember(stack, path, options, address.url), Options(options.project))
            for path in paths
        ]
        transport = HttpTransport(address)
        stack.callback(transport.close)
        couriers = stack.enter_context(open_couriers(address, patience_s=PATIENCE_S))
        console = Console()
        watcher = Watcher(roots, couriers, transport, console)
        signals = _end_on_signals(watcher)
        if options.until_input_ends:
            threading.Thread(target=_wait_for_end, args=[watcher], daemon=True).start()
        console.say(f"{', '.join(map(str, paths))} → {address.url}")
        watcher.run()
    return INTERRUPTED if signal.SIGINT in signals else 0


def _remember(stack: ExitStack, path: Path, options: argparse.Namespace, url: str) -> Memory:
    if options.state:
        place = memory_path(Path(options.state), path)
    else:
        place = memory_path(config.data_dir() / "imports", path, url)
    memory = Memory(place)
    stack.callback(memory.close)
    return memory


def _end_on_signals(watcher: Watcher) -> list[int]:
    """Those that have come."""
    come: list[int] = []

    def end(number: int, _frame: Any) -> None:
        come.append(number)
        watcher.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return come


def _wait_for_end(watcher: Watcher) -> None:
    """The other end of the pipe is closed when its process dies, however it dies."""
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 4096):  # unbuffered: the thread may be left in it
            pass
    watcher.end()
