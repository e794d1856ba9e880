import pytest

PATHS = ["/tracker/api/v1/health", "/api/v1/health", "/health"]


@pytest.mark.parametrize("path", [*PATHS, *(f"{path}/" for path in PATHS)])
def test_health_answers_without_a_database(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_head_is_answered_too(client):
    answer = client.head("/tracker/api/v1/health")

    assert (answer.status_code, answer.content) == (200, b"")


def test_health_is_only_read(client):
    answer = client.post("/health")

    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "POST" not allowed.'})
