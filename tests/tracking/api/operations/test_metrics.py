"""Who may read the figures, and what they are."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.people import make_person
from tracking.domain.tokens import create_token
from tracking.models import User

pytestmark = pytest.mark.django_db
LOCAL = {"Host": "127.0.0.1:3141"}
TOKEN = "a-token-for-the-figures"


@pytest.fixture(autouse=True)
def _login_mode(settings):
    settings.ACCESS = "login"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:3141", "[::1]:3141"])
def test_this_machine_reads_them(client, host):
    answer = client.get("/metrics", headers={"Host": host})

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Host": "runs.example.org"}, "127.0.0.1"),
        (LOCAL, "192.168.1.5"),
        (LOCAL | {"X-Forwarded-For": "192.168.1.5"}, "127.0.0.1"),
        (LOCAL | {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        (LOCAL | {"Forwarded": "for=1.2.3.4"}, "127.0.0.1"),
        (LOCAL | {"X-Real-IP": "1.2.3.4"}, "127.0.0.1"),
    ],
)
def test_others_are_asked_for_the_token(client, settings, headers, address):
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK_HOSTS, "runs.example.org"]

    answer = client.get("/metrics", headers=headers, REMOTE_ADDR=address)

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"runyard_" not in answer.content


def test_what_a_trusted_proxy_has_seen_counts(client, settings):
    settings.TRUSTED_PROXIES = 1

    near = client.get("/metrics", headers=LOCAL | {"X-Forwarded-For": "1.2.3.4, 127.0.0.1"})
    far = client.get("/metrics", headers=LOCAL | {"X-Forwarded-For": "127.0.0.1, 1.2.3.4"})

    assert (near.status_code, far.status_code) == (200, 401)


def test_token_of_the_setting_opens_them(client, settings):
    settings.METRICS_TOKEN = TOKEN

    assert client.get("/metrics", headers=bearer(TOKEN)).status_code == 200
    assert client.get("/metrics", headers=bearer(TOKEN + "x")).status_code == 401


@pytest.mark.parametrize("secret", ["", "x"])
def test_without_a_setting_no_token_does(client, settings, secret):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers=bearer(secret)).status_code == 401


def test_administrators_read_them_in_person_and_others_see_nothing(client):
    root = User.objects.create_superuser("root", password="long-enough")
    _, secret = create_token(root, name="job", can_write=True)
    by_token = client.get("/metrics", headers=bearer(secret))
    client.force_login(root)
    in_person = client.get("/metrics")
    client.force_login(make_person("alice"))
    somebody = client.get("/metrics")

    assert [by_token.status_code, in_person.status_code, somebody.status_code] == [404, 200, 404]
    assert somebody.json() == {"detail": "There is nothing at /metrics."}


def test_figures_can_be_parsed_and_name_no_project(client):
    client.get("/projects/secret-project", headers=LOCAL)
    text = client.get("/metrics", headers=LOCAL).content.decode()

    names = {family.name for family in text_string_to_metric_families(text)}
    assert "secret-project" not in text
    assert {
        "process_cpu_seconds",
        "process_resident_memory_bytes",
        "runyard_artifact_bytes",
        "runyard_build_info",
        "runyard_commit_jobs",
        "runyard_commit_seconds",
        "runyard_database_errors",
        "runyard_database_retries",
        "runyard_folds",
        "runyard_http_answer_seconds",
        "runyard_http_requests",
        "runyard_ingest_batches",
        "runyard_ingest_bytes",
        "runyard_ingest_points",
        "runyard_refused",
        "runyard_watchers",
        "runyard_writer_waiting",
    } <= names
