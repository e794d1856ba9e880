"""Fixtures of the dashboard API's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from tracking.models import Artifact, Run

Answer = tuple[int, Any]


@pytest.fixture
def put(client: Client) -> Callable[..., Answer]:
    """PUT JSON, or text as it is; gives back the status and the answer."""

    def send(path: str, body: Any, **headers: str) -> Answer:
        answer = client.put(path, body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return send


@pytest.fixture
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def keep_file(run: Run, name: str, content: bytes, **fields: Any) -> Artifact:
    """An artifact of any name and path, also of those that no API would take."""
    key = default_storage.save(f"{run.pk}-{run.artifacts.count()}", ContentFile(content))
    return run.artifacts.create(
        name=name, storage_key=key, size_bytes=len(content), sha256="0" * 64, **fields
    )
