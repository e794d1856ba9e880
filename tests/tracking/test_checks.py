"""What is said about settings that cannot be meant so."""

import errno
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core import checks as django_checks

from config import env
from tests.commands import manage
from tests.services.postgres import database, postgres
from tests.services.redis import redis
from tracking import checks

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\bRUNYARD_[A-Z][A-Z_]*[A-Z]\b")


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_settings_of_the_tests_are_fine():
    assert django_checks.run_checks(tags=["settings", "services"], databases=["default"]) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("RUNYARD_ALLOWED_HOST", "Did you mean RUNYARD_ALLOWED_HOSTS?"),
        ("RUNYARD_DATADIR", "Did you mean RUNYARD_DATA_DIR?"),
        ("RUNYARD_XYZZY", "docs/configuration.md lists those there are."),
    ],
)
def test_variable_that_nobody_reads_is_told_and_its_value_is_not(monkeypatch, name, hint):
    monkeypatch.setenv(name, "a-secret")

    [warning] = checks.check_names()

    assert (warning.msg, warning.hint) == (f"Nobody reads the variable {name}.", hint)


def test_variables_of_jobs_are_no_slips(monkeypatch):
    monkeypatch.setenv("RUNYARD_TOKEN", "x")

    assert checks.check_names() == []


def test_variables_of_jobs_are_those_the_packages_read():
    read = {
        name
        for path in [*ROOT.glob("sdk/**/*.py"), ROOT / "examples/demo.py"]
        for name in VARIABLE.findall(path.read_text())
    }

    assert read - env.NAMES == set()


def test_key_made_for_one_machine_is_no_key_for_several(settings, tmp_path):
    settings.DATA_DIR, settings.HAS_COMPANY = tmp_path, False
    (tmp_path / "secret_key").write_text(f"{settings.SECRET_KEY}\n")
    alone = checks.check_key()
    settings.HAS_COMPANY = True
    [warning] = checks.check_key()
    settings.SECRET_KEY = "of-the-environment"

    assert alone == checks.check_key() == []
    assert "RUNYARD_SECRET_KEY_FILE" in warning.hint
    assert settings.SECRET_KEY not in warning.msg


def test_data_dir_that_is_a_file_is_refused(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("")

    assert ids(checks.check_data_dir()) == ["runyard.E003"]


def test_data_dir_that_nobody_can_make_is_refused_with_a_key_and_without(tmp_path):
    away = {"RUNYARD_DATA_DIR": "/proc/nope"}
    keyed = manage("check", RUNYARD_SECRET_KEY="k" * 50, **away)
    bare = manage("check", RUNYARD_SECRET_KEY="", **away)

    assert keyed.returncode == 1
    assert "(runyard.E003) RUNYARD_DATA_DIR=/proc/nope cannot be written to." in keyed.stderr
    assert bare.returncode == 1
    assert re.fullmatch(
        r"RUNYARD_DATA_DIR=/proc/nope cannot be written to: [\w ]+\. Let the user that runs the"
        r" server write there, or name another folder\.\n",
        bare.stderr,
    )


def test_full_disk_keeps_no_command_from_making_room(settings, monkeypatch, tmp_path):
    def be_full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("tempfile.TemporaryFile", be_full)

    assert checks.check_data_dir() == []


def test_data_dir_that_is_not_there_yet_is_fine(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "a" / "b"

    assert checks.check_data_dir() == []


def test_open_access_behind_a_proxy_is_told(settings):
    settings.ACCESS, settings.TRUSTED_PROXIES = "open", 1
    behind = checks.check_access()
    settings.ACCESS = "login"

    assert (ids(behind), checks.check_access()) == (["runyard.W004"], [])


def test_login_behind_a_proxy_needs_names(settings):
    settings.ACCESS, settings.TRUSTED_PROXIES = "login", 1
    settings.ALLOWED_HOSTS = settings.LOOPBACK_HOSTS
    without = checks.check_hosts()
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK_HOSTS, "runs.example.org"]

    assert (ids(without), checks.check_hosts()) == (["runyard.W005"], [])


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("https://runs.example.org/", "runs.example.org"),
        ("runs.example.org:8080", "runs.example.org"),
        ("runs.example.org/", "runs.example.org"),
        ("[::2]:8080", "[::2]"),
        ("::2", "[::2]"),
        ("http://[::2", "runs.example.org"),
        ("https://", "runs.example.org"),
    ],
)
def test_host_that_no_request_can_name_is_refused_with_the_name(settings, host, name):
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK_HOSTS, host]

    [error] = checks.check_host_names()

    assert (error.id, error.msg, error.hint) == (
        "runyard.E006",
        f"RUNYARD_ALLOWED_HOSTS: {host!r} is no name of a host.",
        f"The name alone, without https:// and without a port: {name}",
    )


@pytest.mark.parametrize("host", ["runs.example.org", ".example.org", "*", "10.0.0.5", "[::2]"])
def test_host_that_requests_name_is_fine(settings, host):
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK_HOSTS, host]

    assert checks.check_host_names() == []


def test_short_key_is_told_and_not_shown(settings):
    settings.SECRET_KEY = "k" * 31
    [warning] = checks.check_key_length()
    settings.SECRET_KEY = "k" * 32

    assert warning.id == "runyard.W007"
    assert "kkk" not in warning.msg + warning.hint
    assert checks.check_key_length() == []


@pytest.mark.parametrize(("most", "found"), [(22, ["runyard.W013"]), (23, []), (100, [])])
def test_pool_must_fit_into_the_database(most, found):
    assert ids(checks.tell_connections(most, pool=20)) == found


@pytest.mark.parametrize(
    ("variable", "value", "extra"),
    [
        ("DATABASE_URL", "postgres://a:b@c/d", "postgres"),
        ("DATABASE_URL_FILE", "/run/secrets/x", "postgres"),
    ],
)
def test_package_that_is_not_there_is_named_with_the_way_to_it(monkeypatch, variable, value, extra):
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(env, "find_spec", lambda name: None)

    with pytest.raises(Exception, match=rf"DATABASE_URL needs the package p. .*\[{extra}\]"):
        env.require_package("p", "DATABASE_URL", extra)


def test_package_is_asked_for_where_it_is_needed_only(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL_FILE", raising=False)
    monkeypatch.setattr(env, "find_spec", lambda name: None)

    env.require_package("p", "DATABASE_URL", "postgres")


def test_slips_are_told_by_the_command(tmp_path):
    done = manage("check", RUNYARD_LOG_FORMATS="json")

    assert done.returncode == 0
    assert "Did you mean RUNYARD_LOG_FORMAT?" in done.stderr


@pytest.mark.full
def test_services_that_are_away_are_explained_without_their_passwords(tmp_path):
    away = {
        "DATABASE_URL": "postgres://me:my-password@127.0.0.1:1/x",
        "REDIS_URL": "redis://:my-password@127.0.0.1:1/0",
        "RUNYARD_DATA_DIR": str(tmp_path),
    }
    plain, services = manage("check", **away), manage("check", "--tag", "services", **away)

    assert (plain.returncode, services.returncode) == (0, 1)
    assert "runyard.E010" in services.stderr
    assert "runyard.W014" in services.stderr
    assert "my-password" not in services.stderr + plain.stderr


@pytest.mark.full
def test_services_that_are_there_are_fine_and_another_encoding_is_not(tmp_path):
    with postgres() as server, redis() as cache, database(server, "checked") as url:
        here = {"REDIS_URL": cache.url, "RUNYARD_DATA_DIR": str(tmp_path)}
        good = manage("check", "--tag", "services", DATABASE_URL=url, **here)
        flags = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
        odd = ["-E", "LATIN1", "-T", "template0", "--locale=C", "latin"]
        subprocess.run([str(server.bin / "createdb"), *flags, *odd], check=True)
        bad = manage("check", "--tag", "services", DATABASE_URL=server.url_of("latin"), **here)

    assert (good.returncode, good.stderr) == (0, "")
    assert (bad.returncode, "runyard.E012" in bad.stderr) == (1, True)
