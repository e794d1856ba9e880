"""`manage.py serve`: the server, with nothing else to start or to prepare."""

import contextlib
import fcntl
import ipaddress
import logging
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from tracking.checks import tell_hosts
from tracking.domain.access import is_open
from tracking.domain.cleaning import start_cleaning
from tracking.domain.copying.stores import is_half_copied
from tracking.domain.locks import alone
from tracking.domain.service_tokens import issue_watcher_token, revoke_watcher_tokens
from tracking.domain.setup import make_setup_secret
from tracking.errors import NameTaken
from tracking.server import run_server
from tracking.watcher import HOW_TO_GET_IT, is_installed, make_watcher

DEFAULT_PORT = 3141
log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Start the Runyard server; creates and migrates the embedded database when needed."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--port", type=int, action="append", help=f"repeatable; default {DEFAULT_PORT}"
        )
        parser.add_argument("--data-dir", help="database and files; default ./var")
        parser.add_argument(
            "--watch",
            action="append",
            metavar="DIR",
            help="show the runs in this directory (of Aspara or ML-Dash) live; repeatable",
        )
        parser.add_argument(
            "--access", choices=["open", "login"], help="whether people must sign in; default open"
        )

    def handle(self, *args: Any, host: str, port: list[int] | None, **options: Any) -> None:
        _refuse_open_beyond_loopback(host)
        for warning in [] if _is_loopback(host) else tell_hosts():
            if settings.LOG_FORMAT == "json":
                _log(warning)
            else:
                self.stderr.write(str(warning))
        ports = port or [DEFAULT_PORT]
        _require_free_ports(host, ports)
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        lock = (
            contextlib.nullcontext() if settings.HAS_COMPANY else _lock_data_dir(settings.DATA_DIR)
        )
        with lock:
            self._serve(host, ports, options.get("watch") or [])

    def check(self, *args: Any, **asked: Any) -> None:
        """Django's; where programs read the log, in the log's form."""
        if settings.LOG_FORMAT != "json":
            super().check(*args, **asked)
            return
        found = [each for each in checks.run_checks(*args, **asked) if not each.is_silenced()]
        for each in found:
            _log(each)
        if any(each.is_serious() for each in found):
            raise SystemCheckError("The server cannot start like this: the lines above say why.")

    def _serve(self, host: str, ports: list[int], watch: list[str]) -> None:
        self.check(
            tags=["services"], databases=["default"]
        )  # what stops the start says how to mend it
        _prepare_database()
        _prepare_static_files()
        for number in ports:
            print(
                f"Runyard is at {_address(host, number)}/  (data: {settings.DATA_DIR})", flush=True
            )
        _offer_setup(_address(host, ports[0]))
        start_cleaning()
        with _watching(watch, _address(host, ports[0])):
            _serve(host, ports)


def _log(message: checks.CheckMessage) -> None:
    more = {"check": message.id, "hint": message.hint}
    log.log(message.level, "%s", message.msg, extra=more)


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds it: "all addresses" is none that one can visit."""
    named = "localhost" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104 -- compared, not bound
    return f"http://{named}:{port}"


def _refuse_open_beyond_loopback(host: str) -> None:
    if settings.ALLOW_OPEN or not is_open() or _is_loopback(host):
        return
    raise CommandError(
        f"Nobody has to sign in here, and --host {host} would let the whole network in. Have people"
        " sign in with RUNYARD_ACCESS=login, and set RUNYARD_ALLOWED_HOSTS to the names they will use."
        " Or use --host 127.0.0.1, or, if an open server is what you want, RUNYARD_ALLOW_OPEN=1."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_free_ports(host: str, ports: list[int]) -> None:
    """Before anything is promised: daphne only logs that it could not listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except (OSError, OverflowError) as error:
                raise CommandError(
                    f"Cannot listen on {host} port {port}: {error}. Choose another with --port."
                ) from None


def _lock_data_dir(data_dir: Path) -> IO[str]:
    """One server per data directory: one process writes, and tells its own watchers the news."""
    lock = (data_dir / "serve.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CommandError(
            f"Another server uses {data_dir}. Stop it, or choose another place with --data-dir."
        ) from None
    return lock


def _prepare_database() -> None:
    """One process at a time: servers that start together find it done by the first of them."""
    with alone("migrate"):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)  # where the database is the cache
    if is_half_copied("default"):
        raise CommandError("This store is half copied: `manage.py migrate-store` goes on with it.")
    connection.close()


def _offer_setup(url: str) -> None:
    """No password comes with the server: who reads its console makes the first administrator."""
    if secret := make_setup_secret():
        link = url + reverse("dashboard:setup", args=[secret])
        print(f"Make the first administrator, within a day: {link}", flush=True)
    connection.close()


@contextlib.contextmanager
def _watching(paths: list[str], url: str) -> Iterator[None]:
    """A process of its own looks after these directories as long as the server runs."""
    if not paths:
        yield
        return
    if not is_installed():
        raise CommandError(HOW_TO_GET_IT)
    try:
        token = "" if is_open() else issue_watcher_token()
    except NameTaken as error:
        raise CommandError(str(error)) from None
    whole = [str(Path(path).expanduser().resolve()) for path in paths]
    watcher = make_watcher(whole, url=url, token=token, state_dir=settings.DATA_DIR / "imports")
    connection.close()
    watcher.start()
    try:
        yield
    finally:
        watcher.end()
        revoke_watcher_tokens()
        connection.close()


def _prepare_static_files() -> None:
    """Collect the files of pages if they never were; `make setup` does it after each change."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    if not settings.DEBUG and not staticfiles_storage.exists("staticfiles.json"):
        call_command("collectstatic", verbosity=0, interactive=False)


def _serve(host: str, ports: list[int]) -> None:
    logging.getLogger("daphne").setLevel(logging.WARNING)
    endpoints = [
        endpoint
        for port in ports
        for endpoint in build_endpoint_description_strings(host=host, port=port)
    ]
    run_server(get_default_application(), endpoints, stop_within_s=settings.STOP_WITHIN_S)
