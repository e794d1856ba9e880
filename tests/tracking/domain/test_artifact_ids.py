"""Files under the ids of their clients, who repeat what was not answered."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import make_run
from tracking.domain import artifacts
from tracking.domain.artifacts import (
    check_file_id,
    describe_artifact,
    open_artifact,
    store_artifact,
    withdraw_artifact,
)
from tracking.errors import AlreadyExists, InvalidInput
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def put(run, content: bytes = b"weights", *, name: str = "model.pt", **words: Any) -> Artifact:
    return store_artifact(run, ContentFile(content), name=name, **words)


def files(store: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in store.rglob("*") if path.is_file())


def live_rows() -> list[tuple[str, int]]:
    rows = Artifact.objects.filter(deleted_at=None).order_by("name")
    return list(rows.values_list("name", "size_bytes"))


def test_repeated_id_changes_nothing(store):
    run = make_run()
    first = put(run, uid=7, description="a")
    describe_artifact(first, description="edited")
    revision = Run.objects.get().revision

    again = put(run, uid=7, description="a", name="other.pt")

    assert (again, again.description, again.name) == (first, "edited", "model.pt")
    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])
    assert Run.objects.get().revision == revision


def test_repeated_id_does_not_bring_back_what_was_replaced_or_deleted(store):
    run = make_run()
    put(run, b"old", uid=1)
    put(run, b"newer", uid=2)
    withdraw_artifact(Artifact.objects.get(uid=2))

    for content, uid in ((b"old", 1), (b"newer", 2)):
        assert put(run, content, uid=uid).deleted_at is not None

    assert (live_rows(), files(store)) == ([], [])


def test_same_bytes_under_a_new_id_are_a_new_file(store):
    run = make_run()
    first = put(run, uid=1)

    second = put(run, uid=2)

    first.refresh_from_db()
    assert (first.deleted_at is not None, second.uid) == (True, 2)
    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])


def test_lost_bytes_are_taken_again_under_their_id(store):
    run = make_run()
    default_storage.delete(put(run, uid=7).storage_key)

    put(run, uid=7)

    with open_artifact(Artifact.objects.get()) as file:
        assert file.read() == b"weights"


@pytest.mark.parametrize(("key", "content"), [("b", b"weights"), ("a", b"other")])
def test_id_of_another_file_is_refused(store, key, content):
    runs = {name: make_run(name) for name in "ab"}
    put(runs["a"], uid=7)

    with pytest.raises(AlreadyExists, match="The id 7 belongs to another file"):
        put(runs[key], content, uid=7)

    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])


def test_id_that_is_taken_while_the_file_comes_leaves_one_copy(store, monkeypatch):
    """A client that did not wait for its first answer: both uploads looked before either wrote."""
    run = make_run()
    first = put(run, uid=7)
    looks = iter([None])
    look = artifacts._find_known
    monkeypatch.setattr(artifacts, "_find_known", lambda *given: next(looks, look(*given)))

    assert put(run, uid=7) == first
    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])


@pytest.mark.parametrize("text", ["1", "7196743999488123", str(10**18 - 1)])
def test_ids_are_whole_numbers_in_digits(text):
    assert check_file_id(text) == int(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "007", "1.5", "x", "٣", str(10**18), "9" * 5000])
def test_other_ids_are_refused(text):
    with pytest.raises(InvalidInput, match="id must be a whole number"):
        check_file_id(text)


def test_id_of_the_servers_own_is_a_free_one(monkeypatch):
    put(make_run(), uid=5)
    ids = iter([5, 5, 6])
    monkeypatch.setattr(artifacts, "make_file_id", lambda: next(ids))

    assert put(make_run("b")).uid == 6
