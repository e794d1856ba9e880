"""Fixtures of the page tests."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client


@pytest.fixture
def fragment(client: Client) -> Callable[..., HttpResponse]:
    """Ask for the part of a page that HTMX would replace."""

    def get(path: str, target: str, **params: object) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": target}
        return client.get(path, params, headers=headers)

    return get
