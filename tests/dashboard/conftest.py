"""Fixtures of the page tests."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def fragment(client: Client) -> Callable[..., HttpResponse]:
    """Ask for the part of a page that HTMX would replace."""

    def get(path: str, target: str, **params: object) -> HttpResponse:
        headers = {"HX-Request": "true", "HX-Target": target}
        return client.get(path, params, headers=headers)

    return get


@pytest.fixture
def count_queries(client: Client) -> Callable[[str], int]:
    """How many queries a page takes."""

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    return count
