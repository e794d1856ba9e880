"""Whether the server says that it can work, and what is in the way."""

import threading
import time

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from tests.engines import postgres_only
from tracking.domain import readiness as module
from tracking.domain.readiness import Readiness, judge, look_at_disk, readiness

pytestmark = pytest.mark.django_db(transaction=True)
WELL = {"database": "ok", "redis": "not used", "artifacts": "ok", "disk": "ok", "process": "ok"}


@pytest.fixture(autouse=True)
def _fresh(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "not" / "made" / "yet"
    settings.DATA_DIR = tmp_path / "neither"
    readiness.forget()
    readiness._told = {}
    module._migrated.clear()
    yield
    readiness.forget()


@pytest.mark.parametrize("path", ["/ready", "/ready/"])
def test_all_is_well(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "parts": WELL})
    assert "no-store" in answer["Cache-Control"]


def test_nobody_has_to_sign_in(client, settings):
    settings.ACCESS = "login"

    assert client.get("/ready").status_code == 200
    assert client.head("/ready").status_code == 200
    assert client.post("/ready").status_code == 405


def test_database_that_lacks_a_migration_is_not_ready(client):
    last = MigrationRecorder.Migration.objects.filter(app="tracking").latest("name")
    last.delete()
    try:
        answer = client.get("/ready")
    finally:
        MigrationRecorder(connection).record_applied(last.app, last.name)

    assert (answer.status_code, answer.json()["parts"]) == (503, WELL | {"database": "behind"})


def test_database_with_migrations_of_a_newer_version_is(client):
    client.get("/ready")
    readiness.forget()
    recorder = MigrationRecorder(connection)
    recorder.record_applied("tracking", "9999_of_the_next_version")
    try:
        answer = client.get("/ready")
    finally:
        recorder.record_unapplied("tracking", "9999_of_the_next_version")

    assert answer.json()["parts"] == WELL


def test_full_disk_is_not_ready_and_says_no_more(client, settings):
    settings.MIN_FREE_BYTES = 10**18

    answer = client.get("/ready")

    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "parts": WELL | {"disk": "low"}}


def test_free_space_is_asked_of_the_folder_that_is_there(settings):
    settings.MIN_FREE_BYTES = 1

    assert look_at_disk() == "ok"


def test_store_of_files_that_is_away_leaves_the_rest_working(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "file"
    settings.MEDIA_ROOT.write_text("no folder")
    settings.MEDIA_ROOT.chmod(0o400)

    answer = client.get("/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "parts": WELL | {"artifacts": "failed"}}


def test_redis_that_does_not_answer_leaves_the_rest_working(client, settings):
    settings.REDIS_URL = "redis://:a-password@127.0.0.1:1/0"
    from tracking.domain.redis_link import connect

    connect.cache_clear()
    try:
        answer = client.get("/ready")
    finally:
        connect.cache_clear()

    assert answer.json() == {"status": "degraded", "parts": WELL | {"redis": "failed"}}


def test_process_that_is_told_to_stop_is_not_ready(client, monkeypatch):
    monkeypatch.setattr("tracking.api.operations.views.is_draining", lambda: True)

    answer = client.get("/ready")

    assert (answer.status_code, answer.json()["parts"]["process"]) == (503, "stopping")


def test_parts_that_break_tell_nothing_of_why():
    def break_down():
        raise OSError("host db.example refused password 'x'")

    assert Readiness({"database": break_down}).states() == {"database": "failed"}


def test_change_is_told_once_and_questions_never(client, settings, caplog, monkeypatch):
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    caplog.set_level("INFO")
    enough = settings.MIN_FREE_BYTES
    for least in (10**18, 10**18, enough, enough):
        settings.MIN_FREE_BYTES = least
        client.get("/ready")

    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("WARNING", "The server is not ready (disk: low)."),
        ("INFO", "The server is ready again."),
    ]


@postgres_only
def test_database_that_refuses_is_told_at_once(client, monkeypatch):
    nowhere = connection.get_connection_params() | {"host": "127.0.0.1", "port": 1}
    monkeypatch.setattr(type(connections["default"]), "get_connection_params", lambda _: nowhere)

    assert client.get("/ready").json()["parts"] == WELL | {"database": "failed"}


def test_part_that_hangs_is_waited_for_once_and_asked_once(monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    asked, release = [], threading.Event()

    def hang():
        asked.append(1)
        release.wait(30)
        return "ok"

    all_parts = Readiness({"database": hang, "disk": lambda: "ok"})
    began_at = time.monotonic()
    first, second = all_parts.states(), all_parts.states()
    took_s = time.monotonic() - began_at
    release.set()
    all_parts._parts["database"]._thread.join(30)

    assert first == second == {"database": "slow", "disk": "ok"}
    assert len(asked) == 1
    assert took_s < 5
    assert all_parts.states() == {"database": "ok", "disk": "ok"}


def test_thousand_questions_are_one_look():
    looks = []
    all_parts = Readiness({"database": lambda: looks.append(1) or "ok"})

    threads = [threading.Thread(target=all_parts.states) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(looks) == 1


@pytest.mark.parametrize(
    ("troubled", "status"),
    [
        ({}, "ready"),
        ({"redis": "slow"}, "degraded"),
        ({"redis": "failed", "artifacts": "failed"}, "degraded"),
        ({"database": "slow"}, "not ready"),
        ({"redis": "slow", "disk": "low"}, "not ready"),
    ],
)
def test_what_the_parts_amount_to(troubled, status):
    assert judge(WELL | troubled) == status
