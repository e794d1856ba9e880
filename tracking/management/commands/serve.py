"""`manage.py serve`: the server, with nothing else to start or to prepare."""

import ipaddress
import logging
from argparse import ArgumentParser
from typing import Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tracking.server import run_server

DEFAULT_PORT = 3141


class Command(BaseCommand):
    help = "Start the Runyard server; creates and migrates the embedded database when needed."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--port", type=int, action="append", help=f"repeatable; default {DEFAULT_PORT}"
        )
        parser.add_argument("--data-dir", help="database and files; default ./var")

    def handle(self, *args: Any, host: str, port: list[int] | None, **options: Any) -> None:
        _refuse_open_beyond_loopback(host)
        ports = port or [DEFAULT_PORT]
        _prepare_database()
        _prepare_static_files()
        for number in ports:
            print(f"Runyard is at http://{host}:{number}/  (data: {settings.DATA_DIR})", flush=True)
        _serve(host, ports)


def _refuse_open_beyond_loopback(host: str) -> None:
    if settings.ALLOW_OPEN or _is_loopback(host):
        return
    raise CommandError(
        f"Nobody has to sign in here, and --host {host} would let the whole network in. Use --host"
        " 127.0.0.1, or, if that is what you want, set RUNYARD_ALLOW_OPEN=1 and"
        " RUNYARD_ALLOWED_HOSTS to the names people will use."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _prepare_database() -> None:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
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
    run_server(get_default_application(), endpoints)
