from typing import Any
from uuid import uuid4

import pytest

from tests.factories import make_batch, start_event, take_in
from tracking.domain.runs import finish_run
from tracking.enums import RunStatus
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Run

pytestmark = pytest.mark.django_db
LAPTOP = {"hostname": "laptop", "git": {"commit": "a" * 40, "branch": "main"}}
CLUSTER = {"hostname": "node-7", "cpu_count": 64}


def start(**payload: Any) -> Run:
    """Another process of the same run."""
    take_in(make_batch(1, 1, producer=uuid4(), events=start_event(**payload)))
    return Run.objects.get(key="run-1")


def test_environment_is_kept_with_the_run() -> None:
    run = start(environment=LAPTOP | {"load": float("nan")})

    assert run.metadata == {"environment": LAPTOP | {"load": "NaN"}}


def test_run_without_an_environment_has_none() -> None:
    assert start().metadata == {}


def test_resumed_run_has_the_newest_environment() -> None:
    run = start(environment=LAPTOP)
    finish_run(run, status=RunStatus.FAILED, reason="boom")

    run = start(environment=CLUSTER, resume=True)
    assert run.metadata == {"environment": CLUSTER, "finish_reason": "boom"}

    run = start(resume=True)
    assert run.metadata == {"environment": CLUSTER, "finish_reason": "boom"}


def test_process_that_joins_a_run_tells_of_itself_only_where_nobody_has() -> None:
    start()
    assert start(environment=LAPTOP).metadata == {"environment": LAPTOP}
    assert start(environment=CLUSTER).metadata == {"environment": LAPTOP}


@pytest.mark.parametrize("environment", ["laptop", ["laptop"], 1, {"a": "\0"}, {1: "a"}])
def test_environment_that_is_none_is_refused(environment: object) -> None:
    with pytest.raises(InvalidInput, match="environment"):
        take_in(make_batch(1, 1, events=start_event(environment=environment)))


def test_environment_is_bounded() -> None:
    text = "x" * (64 * 1024 - len('{"a": ""}'))
    assert start(environment={"a": text}).metadata == {"environment": {"a": text}}

    with pytest.raises(LimitExceeded, match="takes 65537 bytes; at most 65536 are allowed"):
        start(environment={"a": f"{text}x"})
