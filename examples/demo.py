"""`make demo`: a server, the address to watch it at, and a training that logs to it.

What follows on the command line is handed on to examples/train_digits.py.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
START_S = 60  # the first start makes the database, and scikit-learn is slow to come
END_S = 10  # the last records are on their way, the last requests are being answered
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Process = subprocess.Popen[bytes]
stopping = threading.Event()  # Ctrl-C, a polite kill, or a closed terminal


def main() -> int:
    try:
        port = int(os.environ.get("RUNYARD_DEMO_PORT") or 3141)
    except ValueError:
        print("RUNYARD_DEMO_PORT must be the number of a port.")
        return 1
    if is_taken(port):
        print(f"Port {port} is taken. Take another: RUNYARD_DEMO_PORT={port + 1} make demo")
        return 1
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopping.set())
    server = start("manage.py", "serve", "--host", HOST, "--port", str(port))
    try:
        show(f"http://{HOST}:{port}", server)
    finally:
        end(server, signal.SIGTERM)
    return 0 if stopping.is_set() else 1


def show(url: str, server: Process) -> None:
    """Train, and stay until the server ends or Ctrl-C is pressed."""
    if not wait_until_answered(f"{url}/health", server):
        say("The server did not start: see above.")
        return
    training = start("examples/train_digits.py", "--server", url, *sys.argv[1:])
    try:
        if wait_until_answered(f"{url}/projects/digits", training):
            say(f"Open {url}/projects/digits and watch it train.")
        wait_for(training)
    finally:
        end(training, signal.SIGINT)  # as Ctrl-C would: its run is marked as cancelled
    if not stopping.is_set():
        outcome = "failed: see above" if training.returncode else "is over"
        say(f"The training {outcome}. The server stays at {url} until you press Ctrl-C.")
    wait_for(server)
    say("Stopping." if stopping.is_set() else "The server has ended: see above.")


def start(*command: str) -> Process:
    """In a session of its own: a Ctrl-C in the terminal reaches us alone, we end all in order."""
    line = [sys.executable, *command]
    return subprocess.Popen(line, cwd=ROOT, start_new_session=True)  # noqa: S603 -- our own scripts


def wait_until_answered(url: str, process: Process) -> bool:
    """False if the process ends before, or nobody answers for a long time."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline and not stopping.is_set():
        with contextlib.suppress(OSError), urlopen(url, timeout=5):  # noqa: S310 -- our own server
            return True
        stopping.wait(0.1)
    return False


def wait_for(process: Process) -> None:
    while process.poll() is None and not stopping.wait(0.1):
        pass


def end(process: Process, how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def say(text: str) -> None:
    print(f"\n  {text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
