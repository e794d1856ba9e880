"""Alice owns the project and its experiment, Bob edits it, Vera views it, Charlie is a stranger."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from tests.people import make_person, share
from tracking.api.ml_dash.ids import experiment_id
from tracking.domain import writer
from tracking.domain.runs import RunStart, open_run
from tracking.domain.tokens import create_token
from tracking.enums import Role, Source
from tracking.models import Run, User

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def people() -> dict[str, User]:
    return {name: make_person(name) for name in ("alice", "bob", "vera", "charlie")}


@pytest.fixture
def tokens(people: dict[str, User]) -> dict[str, str]:
    return {
        name: create_token(user, name="job", can_write=True)[1] for name, user in people.items()
    }


@pytest.fixture
def experiment(people: dict[str, User]) -> Run:
    start = RunStart(key="exp", name="exp", folder="sweeps/lr", source=Source.ML_DASH)
    place = {"namespace": "alice", "project_name": "proj"}
    opened = partial(open_run, "", start, project_tags=[], user=people["alice"], **place)
    run = writer.write(opened)[0]
    share(run.project, people["bob"], Role.EDITOR)
    share(run.project, people["vera"], Role.VIEWER)
    return run


@pytest.fixture
def url(experiment: Run) -> str:
    return f"/api/experiments/{experiment_id(experiment)}"


@pytest.fixture
def call(client: Client, tokens: dict[str, str]) -> Call:
    """Ask as somebody, in JSON; gives back the status and the answer. Text is sent as it is."""

    def ask(method: str, path: str, body: Any = None, *, who: str = "alice") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {tokens[who]}"} if who else {}
        data = body if isinstance(body, str) else json.dumps(body)
        options = {} if body is None else {"data": data, "content_type": "application/json"}
        answer = getattr(client, method)(path, headers=headers, **options)
        return answer.status_code, answer.json()

    return ask


@pytest.fixture
def graph(call: Call) -> Callable[..., Any]:
    """The data of a GraphQL operation, or the whole answer where it tells of errors."""

    def ask(name: str, *, who: str = "alice", **variables: Any) -> Any:
        body = {"query": f"query {name}($a: ID!) {{ x }}", "variables": variables}
        status, answer = call("post", "/graphql", body, who=who)
        assert status == 200
        return answer if "errors" in answer else answer["data"]

    return ask
