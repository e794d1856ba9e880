"""Every route × method × kind of caller × mode, against the rules of tests/permission_rules.py."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.contrib.admindocs.views import simplify_regex
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from config.asgi import application
from tests.permission_rules import (
    ADMIN,
    ALIASES,
    BODIES,
    FORMS,
    QUERIES,
    RULES,
    TWIN_RULES,
    TWINS,
)
from tests.permission_world import CALLERS, MARK, TOKENS, World, make_world
from tracking.models import User
from tracking.routing import http_urlpatterns, websocket_urlpatterns

pytestmark = pytest.mark.django_db
MODES = ["open", "login"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json"
NOBODY = {"anonymous", "disabled", "revoked token"}
KNOWN = set(CALLERS) - NOBODY
# Of those who are known, and without the rights of the user `local`.
MAY: dict[str, set[str]] = {
    "signed-in": KNOWN,
    "person": KNOWN,
    "list": KNOWN,
    "create": KNOWN - {"reading token", "other project's token"},
    "read": KNOWN - {"stranger", "other project's token"},
    "write": {"editor", "owner", "admin", "writing token", "jwt"},
    "manage": {"owner", "admin", "writing token", "jwt"},
    "staff": {"admin"},
    "own": {"owner"},
    "member": {"viewer", "editor", "owner"},
}
PAGES_BY_TOKEN = {"read", "write", "manage"}  # to look at; what they change is for people
PARTS = re.compile(r"<(run|run_key|artifact_id|view_id|user_id)>")


@pytest.fixture
def world(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.MEDIA_ROOT = tmp_path
    settings.REQUESTS_PER_MINUTE = settings.REQUESTS_PER_HOUR = 0
    # In this transaction, which is rolled back; the writer's thread would wait for its end.
    monkeypatch.setattr("tracking.domain.writer.write", lambda work: work())
    return make_world()


def set_mode(settings: Any, mode: str) -> None:
    settings.ACCESS = mode
    settings.REGISTRATION = "open" if mode == "open" else "closed"


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            path = "/" + re.sub(r"<\w+:(\w+)>", r"<\1>", simplify_regex(text)).strip("/")
            yield path, pattern
        else:
            yield from walk(pattern.url_patterns, text)


ROUTES = dict(walk(get_resolver().url_patterns))
CONSUMERS = [path for path, _ in walk(http_urlpatterns)]
SOCKETS = [path for path, _ in walk(websocket_urlpatterns)]


def rule_name(path: str) -> str:
    for alias, original in ALIASES.items():
        if path.startswith(alias):
            return original + path.removeprefix(alias)
    return path


def rules_of(path: str) -> dict[str, str]:
    name = rule_name(path)
    if name not in RULES and path.startswith(ADMIN):
        return {"GET": "staff"}
    return RULES[name]


CALLS = [(path, method, rule) for path in ROUTES for method, rule in rules_of(path).items()]
CHANGES = [(path, method) for path, method, _ in CALLS if method != "GET"]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    routes = {rule_name(path) for path in [*ROUTES, *CONSUMERS, *SOCKETS]}

    assert {path for path in routes - set(RULES) if not path.startswith(ADMIN)} == set()
    assert set(RULES) - routes == set()
    assert (set(BODIES) | set(FORMS)) - set(RULES) == set()


def may(  # noqa: PLR0911 -- a list of rules
    rule: str, caller: str, mode: str, *, is_page: bool = False, method: str = "GET"
) -> bool:
    """What the words of the rules mean."""
    if rule == "public":
        return True
    if rule in {"secret", "closed"}:
        return mode == "open"
    kind, _, right = rule.rpartition(" ")
    if kind == "token" and caller not in TOKENS:
        return False
    if kind == "account" and mode == "open":
        return caller not in TOKENS
    if caller in {"anonymous", "disabled"}:
        return mode == "open" and right not in {"own", "member"}
    if caller in TOKENS and is_page and (right not in PAGES_BY_TOKEN or method != "GET"):
        return False
    return caller in MAY[right]


def is_page(path: str) -> bool:
    """REST views take tokens for all that their user may."""
    return bool(getattr(ROUTES[path].callback, "login_required", True))


def address(path: str, values: dict[str, str]) -> str:
    own = {"artifact_id": values["picture_id"]} if path.endswith("/content") else {}
    filled = re.sub(r"<(\w+)>", lambda found: (values | own)[found[1]], path)
    return f"{filled}/" if path.startswith(ADMIN) else filled


def call(client: Client, method: str, path: str, values: dict[str, str], **options: Any) -> Any:
    """The answer and its text; whatever the call has changed is undone."""
    name = rule_name(path)
    url = address(path, values)
    if query := QUERIES.get(f"{method} {name}"):
        url += f"?{address(query, values)}"
    if method in METHODS[1:] and name in BODIES:
        options |= {"data": json.dumps(BODIES[name]), "content_type": JSON}
    elif method == "POST":
        options |= {"data": FORMS.get(name, {})}
    cookies = client.cookies.copy()
    with transaction.atomic():
        answer = getattr(client, method.lower())(url, **options)
        text = text_of(answer)
        transaction.set_rollback(True)
    client.cookies = cookies  # who is signed out stays so, and who signs in as well
    return answer, text


def text_of(answer: Any) -> bytes:
    if not getattr(answer, "is_async", False):
        return bytes(answer.getvalue())

    async def join() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(join)()


def outcome(answer: Any) -> str:
    """in, out, or no (such method)."""
    assert answer.status_code < 500
    if answer.status_code == 405:
        return "no"
    to = answer.headers.get("Location", "")
    is_out = answer.status_code in {401, 403, 404} or to.startswith(("/login?", "/admin/login/?"))
    return "out" if is_out else "in"


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("mode", MODES)
def test_callers_may_what_the_rules_say(
    world: World, settings: Any, mode: str, caller: str
) -> None:
    set_mode(settings, mode)
    wrong = {}
    for path, method, rule in CALLS:
        allowed = may(rule, caller, mode, is_page=is_page(path), method=method)
        if path.startswith(ADMIN) and allowed:
            continue  # what one may do to which records: tests/tracking/admin
        answer, text = call(world.clients[caller], method, path, world.values)
        sees = MARK.encode() in text
        is_wrong_list = rule.endswith("list") and sees != may("read", caller, mode) and allowed
        if outcome(answer) != ("in" if allowed else "out") or is_wrong_list:
            wrong[f"{method} {path}"] = (rule, answer.status_code, sees)
        if sees and not allowed:
            wrong[f"{method} {path}"] = (rule, "leaks", text)

    assert wrong == {}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("mode", MODES)
def test_other_forms_of_an_address_have_the_same_rule(
    world: World, settings: Any, mode: str, caller: str
) -> None:
    set_mode(settings, mode)
    wrong = {}
    for path, headers in TWINS:
        allowed = may(TWIN_RULES.get(path, "read"), caller, mode)
        client = world.clients[caller]
        answer = client.get(address(path, world.values), headers=headers)
        text = text_of(answer)
        is_refused = outcome(answer) == "out" and MARK.encode() not in text
        if is_refused == allowed:
            wrong[path] = (answer.status_code, text)

    assert wrong == {}


@pytest.mark.parametrize("caller", ["anonymous", "owner"])
def test_methods_without_a_rule_do_nothing(world: World, settings: Any, caller: str) -> None:
    set_mode(settings, "login")
    client = world.clients[caller]

    done = [
        f"{method} {path}"
        for path in ROUTES
        if not f"{path}/".startswith(ADMIN)
        for method in set(METHODS) - set(rules_of(path))
        if outcome(call(client, method, path, world.values)[0]) == "in"
    ]

    assert done == []


@pytest.mark.parametrize("caller", ["anonymous", "stranger", "viewer"])
def test_head_and_options_tell_no_more_than_get(world: World, settings: Any, caller: str) -> None:
    set_mode(settings, "login")
    client, wrong = world.clients[caller], {}

    for path, method, rule in CALLS:
        if method != "GET" or path.startswith(ADMIN):
            continue
        allowed = may(rule, caller, "login", is_page=is_page(path))
        if is_file(path) and allowed:
            continue  # of a HEAD the test client reads nothing, and leaves the file open
        head, _ = call(client, "HEAD", path, world.values)
        options, text = call(client, "OPTIONS", path, world.values)
        tells = outcome(options) == "in" and caller == "anonymous" and rule != "public"
        if outcome(head) != ("in" if allowed else "out") or tells or MARK.encode() in text:
            wrong[path] = (rule, head.status_code, options.status_code)

    assert wrong == {}


def test_changes_by_session_need_the_csrf_token(world: World, settings: Any) -> None:
    set_mode(settings, "login")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="owner"))

    answers = {
        f"{method} {path}": call(client, method, path, world.values)[0].status_code
        for path, method, rule in CALLS
        if method != "GET" and "owner" in MAY.get(rule.removeprefix("account "), ())
    }

    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert len(answers) > 30


def test_changes_for_another_sites_page_are_refused(world: World, settings: Any) -> None:
    headers = {"Origin": "http://evil.example"}

    answers = {
        f"{method} {path}": call(
            world.clients["owner"], method, path, world.values, headers=headers
        )[0].status_code
        for path, method in CHANGES
    }

    assert {name: status for name, status in answers.items() if status != 403} == {}


@pytest.mark.parametrize("parent", ["project", "run"])
def test_nothing_is_reached_through_the_wrong_parent(
    world: World, settings: Any, parent: str
) -> None:
    """The owner has two projects, and in one of them two runs."""
    set_mode(settings, "login")
    other = {"project": "other", "project_key": "other"}
    if parent == "run":
        other = {"run": "run-3", "run_key": "run-3"}
    calls = [
        (path, method)
        for path, method, _ in CALLS
        if ("<project" in path and PARTS.search(path) if parent == "project" else is_file(path))
    ]

    reached = [
        f"{method} {path}"
        for path, method in calls
        if outcome(call(world.clients["owner"], method, path, world.values | other)[0]) == "in"
    ]

    assert reached == []
    assert len(calls) >= 3


def is_file(path: str) -> bool:
    return "<run_key>" in path and "<artifact_id>" in path


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", MODES)
def test_consumers_hold_the_rules_too(world: World, settings: Any, mode: str) -> None:
    set_mode(settings, mode)
    wrong = {}
    for path in [*CONSUMERS, *SOCKETS]:
        [(method, rule)] = RULES[path].items()
        for caller, client in world.clients.items():
            # Where a session changes nothing, whoever has one is as nobody.
            as_whom = caller if caller in TOKENS or method == "GET" else "anonymous"
            answered = async_to_sync(knock)(client, method, path, world.values)
            if (answered == "in") != may(rule, as_whom, mode):
                wrong[f"{method} {path} by {caller}"] = answered

    assert wrong == {}


async def knock(client: Client, method: str, path: str, values: dict[str, str]) -> str:
    """What a consumer says first."""
    kind = "websocket" if path in SOCKETS else "http"
    app = ApplicationCommunicator(application, consumer_scope(client, kind, method, path, values))
    if kind == "websocket":
        await app.send_input({"type": "websocket.connect"})
    else:
        await app.send_input({"type": "http.request", "body": make_start(method)})
    answer = await app.receive_output(timeout=20)
    if answer["type"] == "websocket.accept":  # who may not come in is told so after that
        answer = await app.receive_output(timeout=20)
    if not app.future.done():
        await app.send_input({"type": f"{kind}.disconnect", "code": 1000})
        await app.wait(timeout=20)
    is_in = answer["type"] == "websocket.send" or answer.get("status") == 200
    return "in" if is_in else str(answer)


def make_start(method: str) -> bytes:
    """A batch that starts a run of its own in the project."""
    if method == "GET":
        return b""
    names = {"run": {"uid": str(uuid.uuid4()), "key": "x"}, "producer": str(uuid.uuid4())}
    events = {"first_seq": 1, "last_seq": 1, "events": [[1, "start", {}]]}
    return orjson.dumps({"format": 1, "project": "proj"} | names | events)


def consumer_scope(
    client: Client, kind: str, method: str, path: str, values: dict[str, str]
) -> dict[str, Any]:
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers.append((b"cookie", cookies.encode()))
    if secret := client.defaults.get("HTTP_AUTHORIZATION"):
        headers.append((b"authorization", secret.encode()))
    scope = {"type": kind, "path": address(path, values), "headers": headers}
    return scope | {"method": method, "query_string": b"runs=run-1", "subprotocols": []}
