"""Whatever is sent: a clear 4xx, and nothing has changed."""

import json
from typing import Any

import pytest

from tests.factories import make_run
from tests.tracking.api.aspara_tracker.conftest import API, RUN, RUNS
from tracking.models import Artifact, Metric, MetricPoint, Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = [Project, Run, Metric, MetricPoint, Artifact]

KEY_RULE = "Only alphanumeric characters, underscores, and hyphens are allowed."
BAD_RUN, BAD_PROJECT = f"Invalid run name. {KEY_RULE}", f"Invalid project name. {KEY_RULE}"
LONG = "x" * 10_000
TOO_LONG = "It has 10000 characters; at most 250 are allowed."
DEEP = "[" * 100_000 + "]" * 100_000
NUL, SURROGATE = "a\0b", "a\ud800b"
TIME_RULE = "timestamp must be ISO 8601 text, or a number: UNIX seconds or milliseconds."


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth else {}


@pytest.fixture
def run():
    return make_run(config={"lr": 0.1}, tags=["old"])


def snapshot() -> list[list[dict[str, Any]]]:
    return [list(model.objects.values()) for model in MODELS]


def refused(post, path: str, body: Any, detail: str, status: int = 400) -> None:
    before = snapshot()

    assert post(path, body) == (status, {"detail": detail})
    assert snapshot() == before


CREATE = [
    ({}, "name: This field is required."),
    ({"name": None}, "name: This field may not be null."),
    ({"name": ""}, "name: This field may not be blank."),
    ({"name": 5}, BAD_RUN),
    ({"name": ["a"]}, BAD_RUN),
    ({"name": {"a": 1}}, BAD_RUN),
    ({"name": ".."}, BAD_RUN),
    ({"name": "../../etc"}, BAD_RUN),
    ({"name": "a/b"}, BAD_RUN),
    ({"name": "a b"}, BAD_RUN),
    ({"name": "a\n"}, BAD_RUN),
    ({"name": "naïve"}, BAD_RUN),
    ({"name": NUL}, BAD_RUN),
    ({"name": SURROGATE}, BAD_RUN),
    ({"name": LONG}, f"Invalid run name. {TOO_LONG}"),
    ({"name": "metrics"}, "Invalid run name. 'metrics' is a reserved word."),
    ({"name": "a", "tags": "one"}, "tags must be a list of texts."),
    ({"name": "a", "tags": [1]}, "tags must be text."),
    ({"name": "a", "tags": [""]}, "tags: a tag has 1 to 250 characters."),
    ({"name": "a", "tags": [LONG]}, "tags: a tag has 1 to 250 characters."),
    ({"name": "a", "tags": [NUL]}, "tags has a NUL character in it."),
    ({"name": "a", "tags": [SURROGATE]}, "tags has half a surrogate pair in it."),
    (
        {"name": "a", "tags": [str(n) for n in range(101)]},
        "tags has 101 tags; at most 100 are allowed.",
    ),
    ({"name": "a", "project_tags": {"x": 1}}, "project_tags must be a list of texts."),
    ({"name": "a", "notes": 5}, "notes must be text."),
    ({"name": "a", "notes": NUL}, "notes has a NUL character in it."),
    ({"name": "a", "notes": SURROGATE}, "notes has half a surrogate pair in it."),
    (
        {"name": "a", "notes": "n" * 100_001},
        "notes has 100001 characters; at most 100000 are allowed.",
    ),
    ({"name": "a", "config": [1]}, "config must be an object."),
    ({"name": "a", "config": "lr=1"}, "config must be an object."),
    ({"name": "a", "config": {NUL: 1}}, "config has a NUL character in it."),
    ({"name": "a", "config": {"a": [{"b": NUL}]}}, "config has a NUL character in it."),
    ({"name": "a", "config": {"a": SURROGATE}}, "config has half a surrogate pair in it."),
    (
        {"name": "a", "config": {"seed": 2**64}},
        "config has a whole number beyond 64 bits in it.",
    ),
    ({"name": "a", "config": nested(40)}, "config is nested deeper than 32 levels."),
    ({"name": "a", "resume": "perhaps"}, "resume: Must be a valid boolean."),
    ({"name": "a", "resume": {}}, "resume: Must be a valid boolean."),
    ({"name": "a", "resume": None}, "resume: This field may not be null."),
]


@pytest.mark.parametrize(("body", "detail"), CREATE)
def test_wrong_run_is_refused(post, body, detail):
    refused(post, RUNS, body, detail)


METRICS = [
    ({}, "metrics: This field is required."),
    ({"metrics": None}, "metrics: This field may not be null."),
    ({"metrics": {}}, "metrics must have at least one name in it."),
    ({"metrics": [1]}, "metrics must be an object of names and numbers."),
    ({"metrics": "loss=1"}, "metrics must be an object of names and numbers."),
    ({"metrics": 1}, "metrics must be an object of names and numbers."),
    ({"metrics": {"loss": "0.5"}}, "Metric 'loss' must be a number, not text."),
    ({"metrics": {"loss": "nan"}}, "Metric 'loss' must be a number, not text."),
    ({"metrics": {"loss": None}}, "Metric 'loss' must be a number, not null."),
    ({"metrics": {"loss": [1.0]}}, "Metric 'loss' must be a number, not a list."),
    ({"metrics": {"ok": 1, "x": {"y": 1}}}, "Metric 'x' must be a number, not an object."),
    ({"metrics": {"loss": 10**400}}, "Metric 'loss' is beyond a float64."),
    ({"metrics": {"": 1}}, "Metric name cannot be empty and must be text."),
    ({"metrics": {NUL: 1}}, r"Metric name 'a\x00b' has control characters in it."),
    ({"metrics": {SURROGATE: 1}}, r"Metric name 'a\ud800b' has control characters in it."),
    ({"metrics": {"a\nb": 1}}, r"Metric name 'a\nb' has control characters in it."),
    (
        {"metrics": {LONG: 1}},
        f"Metric name '{'x' * 40}'… has 10000 characters; at most 250 are allowed.",
    ),
    (
        {"metrics": {f"m{n}": n for n in range(1001)}},
        "metrics has 1001 names; at most 1000 are allowed in one call.",
    ),
    ({"metrics": {"a": 1}, "step": "5"}, "step must be a whole number."),
    ({"metrics": {"a": 1}, "step": 1.5}, "step must be a whole number."),
    ({"metrics": {"a": 1}, "step": True}, "step must be a whole number."),
    ({"metrics": {"a": 1}, "step": [1]}, "step must be a whole number."),
    ({"metrics": {"a": 1}, "step": 2**63}, "step must fit into 64 bits."),
    ({"metrics": {"a": 1}, "step": 1e300}, "step must fit into 64 bits."),
    ({"metrics": {"a": 1}, "timestamp": "yesterday"}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": ""}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": SURROGATE}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": "9999-12-31T23:59:59-14:00"}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": "0001-01-01T00:00:00+14:00"}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": True}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": [1]}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": 1e300}, TIME_RULE),
    ({"metrics": {"a": 1}, "timestamp": 10**400}, TIME_RULE),
    ('{"metrics": {"a": 1}, "timestamp": NaN}', TIME_RULE),
    ('{"metrics": {"a": 1}, "timestamp": -Infinity}', TIME_RULE),
    ('{"metrics": {"a": 1}, "step": NaN}', "step must be a whole number."),
    ('{"metrics": {"a": 1}, "step": Infinity}', "step must be a whole number."),
]


@pytest.mark.parametrize(("body", "detail"), METRICS)
def test_wrong_row_is_refused(post, run, body, detail):
    refused(post, f"{RUN}/metrics", body, detail)


OTHERS = [
    ("config", {}, "config: This field is required."),
    ("config", {"config": None}, "config: This field may not be null."),
    ("config", {"config": {"a": NUL}}, "config has a NUL character in it."),
    ("summary", {}, "summary: This field is required."),
    ("summary", {"summary": [1]}, "summary must be an object."),
    ("tags", {}, "tags: This field is required."),
    ("tags", {"tags": None}, "tags: This field may not be null."),
    ("tags", {"tags": [[]]}, "tags must be text."),
    ("finish", {"exit_code": None}, "exit_code: This field may not be null."),
    ("finish", {"exit_code": "0"}, "exit_code must be a whole number."),
    ("finish", {"exit_code": 2**31}, "exit_code must be a whole number."),
    ("finish", {"exit_code": True}, "exit_code must be a whole number."),
]


@pytest.mark.parametrize(("call", "body", "detail"), OTHERS)
def test_wrong_change_is_refused(post, run, call, body, detail):
    refused(post, f"{RUN}/{call}", body, detail)


BODIES = [
    ("[1]", "Invalid data. Expected a dictionary, but got list."),
    ("null", "No data provided"),
    ("5", "Invalid data. Expected a dictionary, but got int."),
    ('"text"', "Invalid data. Expected a dictionary, but got str."),
    ("{", "JSON parse error - "),
    ('{"metrics": {"a": 1},}', "JSON parse error - "),
    ("\ufeff{}", "JSON parse error - "),
    (b"\xff\xfe", "JSON parse error - "),
    (b"\x1f\x8b\x08\x00", "JSON parse error - "),
    ('{"metrics": {"a": ' + "9" * 5_000 + "}}", "JSON parse error - "),
    (DEEP, "JSON parse error - nested too deeply"),
    ('{"metrics": {"a": ' + DEEP + "}}", "JSON parse error - nested too deeply"),
]
CALLS = [RUNS, *(f"{RUN}/{call}" for call in ("metrics", "config", "summary", "tags", "finish"))]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(("body", "text"), BODIES)
def test_body_that_is_no_object_is_refused(post, run, path, body, text):
    before = snapshot()

    status, answer = post(path, body)

    assert status == 400
    assert answer["detail"].startswith(text)
    assert snapshot() == before


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/x-msgpack", "\x7f/;=;"],
)
def test_body_of_another_type_is_refused(client, run, path, content_type):
    before = snapshot()

    answer = client.generic("POST", path, b'{"name": "a"}', content_type)

    assert answer.status_code == 415
    assert answer.json()["detail"].startswith("Unsupported media type")
    assert snapshot() == before


@pytest.mark.parametrize("charset", ["bz2_codec", "utf-16"])
def test_odd_charset_is_refused(client, run, charset):
    before = snapshot()

    answer = client.generic("POST", RUNS, b'{"name": "a"}', f"application/json; charset={charset}")

    assert answer.status_code == 400
    assert snapshot() == before


@pytest.mark.parametrize("path", CALLS)
def test_too_large_a_body_is_refused(post, run, settings, path):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    body = {"name": "a", "metrics": {"a": 1}, "config": {"a": "x" * 10_000}}

    refused(post, path, body, "The body is too large: at most 10000 bytes are allowed.", 413)


@pytest.mark.parametrize("path", CALLS)
def test_body_in_chunks_is_refused(client, run, path):
    before = snapshot()

    answer = client.generic(
        "POST", path, b"", "application/json", headers={"Transfer-Encoding": "chunked"}
    )

    assert (answer.status_code, answer.json()) == (
        411,
        {"detail": "Send the body with a Content-Length, not in chunks."},
    )
    assert snapshot() == before


BODY = {
    "name": "a",
    "metrics": {"a": 1},
    "config": {"b": 1},
    "summary": {"c": 1},
    "tags": ["d"],
    "exit_code": 0,
}
PATHS = [
    ("projects/nope/runs/run-1/metrics", 404, "Project 'nope' not found"),
    ("projects/proj/runs/nope/metrics", 404, "Run 'nope' not found in project 'proj'"),
    ("projects/proj/runs/RUN-1/metrics", 404, "Run 'RUN-1' not found in project 'proj'"),
    ("projects/proj/runs/nope/config", 404, "Run 'nope' not found in project 'proj'"),
    ("projects/proj/runs/nope/summary", 404, "Run 'nope' not found in project 'proj'"),
    ("projects/proj/runs/nope/tags", 404, "Run 'nope' not found in project 'proj'"),
    ("projects/proj/runs/nope/finish", 404, "Run 'nope' not found in project 'proj'"),
    ("projects/%2e%2e/runs", 400, BAD_PROJECT),
    ("projects/.hidden/runs", 400, BAD_PROJECT),
    ("projects/a%20b/runs", 400, BAD_PROJECT),
    ("projects/a%00b/runs", 400, BAD_PROJECT),
    ("projects/a%0Ab/runs", 400, BAD_PROJECT),
    ("projects/%ff%fe/runs", 400, BAD_PROJECT),
    ("projects/%ed%a0%80/runs", 400, BAD_PROJECT),
    ("projects/{x}/runs", 400, BAD_PROJECT),
    (f"projects/{LONG}/runs", 400, f"Invalid project name. {TOO_LONG}"),
    ("projects/proj/runs/a%00b/metrics", 400, BAD_RUN),
    ("projects/proj/runs/%2e%2e/metrics", 400, BAD_RUN),
    ("projects/proj/runs/runs/metrics", 400, "Invalid run name. 'runs' is a reserved word."),
    (f"projects/proj/runs/{LONG}/metrics", 400, f"Invalid run name. {TOO_LONG}"),
]


@pytest.mark.parametrize(("path", "status", "detail"), PATHS)
def test_wrong_path_creates_nothing(post, run, path, status, detail):
    refused(post, f"{API}/{path}", BODY, detail, status)


@pytest.mark.parametrize(
    "path",
    ["projects/a%2fb/runs", "projects/..%2f..%2fetc/runs", "projects/proj/runs/a%2fb/metrics"],
)
def test_encoded_slash_leads_nowhere(client, run, path):
    before = snapshot()

    answer = client.post(f"{API}/{path}", json.dumps(BODY), content_type="application/json")

    assert answer.status_code == 404
    assert snapshot() == before
