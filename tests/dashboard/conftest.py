"""Fixtures of the page tests."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from tracking.models import User


@pytest.fixture
def fragment(client: Client) -> Callable[..., HttpResponse]:
    """Ask for the part of a page that HTMX would replace."""

    def get(path: str, target: str, **params: object) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": target}
        return client.get(path, params, headers=headers)

    return get


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[User], None]:
    """Have the requests of this test come from somebody else."""

    def become(user: User) -> None:
        monkeypatch.setattr("tracking.domain.identity.local_user", lambda: user)

    return become
