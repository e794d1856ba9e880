"""Alice owns the project, Bob edits it, Vera views it, Charlie is a stranger."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.people import make_person, share
from tracking.domain.jwt import make_jwt
from tracking.domain.projects import create_project
from tracking.domain.runs import RunStart, start_run
from tracking.enums import Role, Source
from tracking.models import Project, Run, User

Call = Callable[..., tuple[int, Any]]


@pytest.fixture(autouse=True)
def _fresh_limits(settings: Any) -> Iterator[None]:
    """What was asked in another test counts for nothing."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make_person(name) for name in ("alice", "bob", "vera", "charlie")}


@pytest.fixture
def project(people: dict[str, User]) -> Project:
    project = create_project("My Project", user=people["alice"])
    share(project, people["bob"], Role.EDITOR)
    share(project, people["vera"], Role.VIEWER)
    return project


@pytest.fixture
def run(project: Project, people: dict[str, User]) -> Run:
    start = RunStart(key="first", name="First run", source=Source.AI_MANAGER, config={"lr": 0.1})
    return start_run(project, start, user=people["alice"])[0]


@pytest.fixture
def call(client: Client, people: dict[str, User]) -> Call:
    """Ask as somebody, in JSON; gives back the status and the answer."""

    def ask(method: str, path: str, body: Any = None, *, who: str = "alice") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {make_jwt(people[who])}"} if who else {}
        data = body if isinstance(body, str) else json.dumps(body)
        options = {} if body is None else {"data": data, "content_type": "application/json"}
        answer = getattr(client, method)(path, headers=headers, **options)
        return answer.status_code, answer.json()

    return ask
