"""Every route × method × kind of caller × mode, against the rules of tests/permission_rules.py.

Those of consumers: tests/test_consumer_permissions.py.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import Client, override_settings

from tests.permission_routes import (
    CONSUMERS,
    MAY,
    MODES,
    ROUTES,
    SOCKETS,
    address,
    is_page,
    may,
    rule_name,
    rules_of,
    set_mode,
)
from tests.permission_rules import ADMIN, BODIES, FORMS, QUERIES, RULES, TWIN_RULES, TWINS
from tests.permission_world import CALLERS, MARK, World, make_world
from tracking.models import User

pytestmark = pytest.mark.django_db
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON = "application/json"
PARTS = re.compile(r"<(run|run_key|artifact_id|view_id|user_id)>")


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One for all tests here, each of which leaves it as it was: they run in transactions in its."""
    plain = override_settings(
        MEDIA_ROOT=tmp_path_factory.mktemp("artifacts"),
        REQUESTS_PER_MINUTE=0,
        REQUESTS_PER_HOUR=0,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    )
    with plain, django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # The writer's thread would wait for the end of the transaction.
        patch.setattr("tracking.domain.writer.write", lambda work, **_: work())
        # It looks from a thread, which on SQLite would wait for it, too.
        patch.setattr("tracking.domain.readiness.readiness.states", dict)
        # Who may read the schema is asked here, not what stands in it, which takes 40 ms to make.
        patch.setattr(
            "drf_spectacular.generators.SchemaGenerator.get_schema", lambda *_, **__: {"paths": {}}
        )
        with transaction.atomic():
            yield make_world()
            transaction.set_rollback(True)


CALLS = [(path, method, rule) for path in ROUTES for method, rule in rules_of(path).items()]
CHANGES = [(path, method) for path, method, _ in CALLS if method != "GET"]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    routes = {rule_name(path) for path in [*ROUTES, *CONSUMERS, *SOCKETS]}

    assert {path for path in routes - set(RULES) if not path.startswith(ADMIN)} == set()
    assert set(RULES) - routes == set()
    assert (set(BODIES) | set(FORMS)) - set(RULES) == set()


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
