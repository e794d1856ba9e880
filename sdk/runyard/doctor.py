"""`runyard doctor`: what a job on this machine would meet."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import uuid4

from runyard import config, dash_tokens, locks, tokens
from runyard.answers import advise, explain
from runyard.background import is_room_used_up
from runyard.commands.printing import counted
from runyard.errors import NoServer, TransportError
from runyard.kept import measure
from runyard.orphans import spool_paths
from runyard.scope import ask_door, ask_scope
from runyard.transport import HttpTransport, Response, parse_address


class Trouble(Exception):
    """A check that failed; the text says what to do."""


def examine(root: Path, url: str | None) -> int:
    """Print a line for each check. Returns 1 if one of them failed, else 0."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("version", _version),
        ("directory", lambda: _check_directory(root)),
        ("disk", lambda: _check_room(root)),
        ("waiting", lambda: _check_spools(root)),
        ("server", lambda: _check_server(url)),
        ("token", lambda: _check_token(url)),
    ]
    is_well = True
    for name, check in checks:
        try:
            line = f"ok  {name:<10} {check()}"
        except (Trouble, OSError, ValueError) as trouble:
            line, is_well = f"!!  {name:<10} {trouble}", False
        sys.stderr.write(f"{line}\n")
    return 0 if is_well else 1


def _version() -> str:
    try:
        number = version("runyard")
    except PackageNotFoundError:
        number = "from sources"
    return f"runyard {number}, Python {platform.python_version()}"


def _check_directory(root: Path) -> str:
    root.mkdir(parents=True, exist_ok=True)
    path = root / f".doctor-{uuid4().hex}"
    lock = locks.hold_lock(path, create=True)
    try:
        if locks.hold_lock(path) is not None:
            raise Trouble(f"{root} knows no locks: records of killed jobs must be sent by hand")
        fd = os.open(path, os.O_RDWR)
        began = time.perf_counter()
        os.pwrite(fd, b"x" * 4096, 0)
        os.fsync(fd)
        took_ms = (time.perf_counter() - began) * 1000
        os.close(fd)
    finally:
        path.unlink()
        if lock is not None:
            locks.let_go(lock)
    return f"{root} (4 KiB reach the disk in {took_ms:.1f} ms)"


def _check_room(root: Path) -> str:
    spools = root / "spool"
    if not spools.is_dir():
        return "nothing waits here"
    used_mib = measure(spools) / 1024**2
    if is_room_used_up(spools):
        raise Trouble(f"{used_mib:,.0f} MiB wait here: new records have no room; run: runyard sync")
    return f"{used_mib:,.1f} MiB wait here"


def _check_spools(root: Path) -> str:
    waiting = sum(1 for _ in _orphans(root))
    refused = len(list((root / "dead-letter").glob("*.jsonl")))
    if refused:
        raise Trouble(
            f"the server refused records of {counted(refused, 'run')}: see {root / 'dead-letter'}"
        )
    if waiting:
        have = "has" if waiting == 1 else "have"
        jobs = counted(waiting, "ended job")
        raise Trouble(f"{jobs} {have} left records; run: runyard sync {root}")
    running = len(spool_paths(root))
    are = "is" if running == 1 else "are"
    return f"{counted(running, 'job')} {are} running, none has left records behind"


def _orphans(root: Path) -> Iterator[Path]:
    for path in spool_paths(root):
        lock = locks.hold_lock(path / "lock")
        if lock is not None:
            locks.let_go(lock)
            yield path


def _check_server(url: str | None) -> str:
    try:
        address = parse_address(config.server_url(url))
    except NoServer:
        return "none by default: scripts must pass tracker_uri"
    began = time.perf_counter()
    try:
        with closing(HttpTransport(address, timeout_s=5.0)) as transport:
            answer = transport.request("GET", "/health")
    except TransportError as error:
        raise Trouble(f"{address.url} does not answer: {error}") from None
    if answer.status != 200 or answer.json().get("status") != "ok":
        raise Trouble(f"{address.url} is no Runyard server: it answers with {answer.status}")
    return f"{address.url} answers in {(time.perf_counter() - began) * 1000:.0f} ms"


def _check_token(url: str | None) -> str:
    try:
        address = parse_address(config.server_url(url))
    except NoServer:
        return "not needed without a server"
    if tokens.is_open_to_others():
        raise Trouble(f"others can read {tokens.tokens_path()}; run: chmod 600 on it")
    if dash_tokens.is_open_to_others():
        raise Trouble(f"others can read {dash_tokens.key_path()}; run: chmod 600 on it")
    sent = _describe_token(address.origin)
    try:
        with closing(HttpTransport(address, timeout_s=5.0)) as transport:
            return _try_token(transport, sent, address.url)
    except TransportError:
        raise Trouble(f"{sent or _why_none()}; {address.url} cannot be asked about it") from None


def _describe_token(origin: str) -> str:
    """Which one is sent; "" for none."""
    if config.token_of_environment(origin):
        return "RUNYARD_TOKEN is sent"
    if tokens.stored_token(origin):
        return f"that of runyard login is sent, from {tokens.tokens_path()}"
    if dash_tokens.stored_token(origin):
        return f"that of runyard login is sent, from {dash_tokens.token_path()}"
    return ""


def _why_none() -> str:
    token = os.environ.get("RUNYARD_TOKEN", "").strip()
    if token and not tokens.is_sendable(token):
        return "RUNYARD_TOKEN is no token, which is one word"
    return "RUNYARD_TOKEN is for the server of RUNYARD_URL" if token else "none is set"


def _try_token(transport: HttpTransport, sent: str, url: str) -> str:
    """Where the records go, with what jobs would send. Raises: Trouble, TransportError."""
    if refusal := ask_door(transport):
        said = f"{url} refuses it ({explain(refusal)})" if sent else f"{url} asks for one"
        raise Trouble(f"{sent or _why_none()}, and {said}: {advise(refusal, url)}")
    if not sent:
        return f"{_why_none()}, and none is asked for"
    scope = ask_scope(transport)
    if isinstance(scope, Response):
        return f"{sent}, and taken"
    if not scope.may_write:
        raise Trouble(f"{sent}; it is {scope.user}'s and {scope}: jobs cannot log with it")
    return f"{sent}; it is {scope.user}'s and {scope}"
