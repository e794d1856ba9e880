"""What `manage.py serve` refuses before it promises anything."""

import fcntl
import json
import os
import socket
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.e2e.live import ROOT
from tests.engines import sqlite_only
from tracking.management.commands.serve import _address


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_taken_port_is_refused_with_the_way_out(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CommandError, match=rf"port {port}: .*Choose another with --port"):
            call_command("serve", port=[port])

    assert capsys.readouterr().out == ""


def test_impossible_port_is_refused():
    with pytest.raises(CommandError, match="port 99999"):
        call_command("serve", port=[99_999])


@sqlite_only
def test_second_server_on_a_data_directory_is_refused(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with (tmp_path / "serve.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(CommandError, match="Another server uses"):
            call_command("serve", port=[free_port()])


@pytest.mark.parametrize(
    ("url", "text", "level", "check"),
    [
        ("x", "Nobody reads the variable RUNYARD_XYZZY.", "warning", "runyard.W001"),
        ("/", "RUNYARD_ALLOWED_HOSTS: '/' is no name of a host.", "error", "runyard.E006"),
    ],
)
def test_checks_are_lines_of_the_log_where_programs_read_it(url, text, level, check):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])  # is looked at next, so that nothing starts
        done = subprocess.run(
            [sys.executable, "manage.py", "serve", "--port", port],
            env=os.environ
            | {"RUNYARD_LOG_FORMAT": "json", "RUNYARD_XYZZY": "1", "RUNYARD_ALLOWED_HOSTS": url},
            cwd=ROOT,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
    *lines, last = done.stderr.splitlines()
    told = {line["check"]: (line["level"], line["message"]) for line in map(json.loads, lines)}

    assert told[check] == (level, text)
    assert ("cannot start like this" in last) == (level == "error")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org"])
def test_address_that_the_network_can_reach_is_refused_with_the_way_out(host):
    with pytest.raises(CommandError, match="RUNYARD_ALLOW_OPEN=1"):
        call_command("serve", host=host)


def test_address_that_the_network_can_reach_is_fine_where_people_sign_in(settings, monkeypatch):
    settings.ACCESS = "login"
    served = []
    for step in ("_prepare_database", "_prepare_static_files"):
        monkeypatch.setattr(f"tracking.management.commands.serve.{step}", lambda: None)
    monkeypatch.setattr("tracking.management.commands.serve._offer_setup", lambda url: None)
    monkeypatch.setattr(
        "tracking.management.commands.serve._serve", lambda host, ports: served.append(host)
    )
    monkeypatch.setattr(
        "tracking.management.commands.serve.start_cleaning", lambda: served.append("cleaning")
    )

    call_command("serve", host="0.0.0.0", port=[free_port()])

    assert served == ["cleaning", "0.0.0.0"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:3141"),
        ("0.0.0.0", "http://localhost:3141"),
        ("::", "http://localhost:3141"),
        ("::1", "http://[::1]:3141"),
    ],
)
def test_address_that_is_printed_can_be_visited(host, address):
    assert _address(host, 3141) == address
