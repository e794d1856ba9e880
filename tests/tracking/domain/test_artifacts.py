"""Rows are written by the writer's thread, which has its own connection."""

import hashlib
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import OperationalError, transaction

from tests.factories import make_run
from tracking.domain import artifacts
from tracking.domain.artifacts import (
    delete_artifacts,
    describe_artifact,
    open_artifact,
    store_artifact,
    withdraw_artifact,
)
from tracking.domain.weights import weigh_runs
from tracking.errors import FileTooLarge, InvalidInput, NotFound, RunDeleted
from tracking.models import Artifact, Run
from tracking.storage import DurableFileStorage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def put(run, content: bytes = b"weights", name: str = "model.pt", **words: Any) -> Artifact:
    return store_artifact(run, ContentFile(content), name=name, **words)


def files(store: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in store.rglob("*") if path.is_file())


def live_rows() -> list[tuple[str, int]]:
    rows = Artifact.objects.filter(deleted_at=None).order_by("name")
    return list(rows.values_list("name", "size_bytes"))


def test_stored_artifact_is_described_and_can_be_read(store):
    run = make_run()

    artifact = put(run, name="model.json", description="Final", category="model")

    stored = Artifact.objects.get()
    assert stored == artifact
    assert (stored.run, stored.path, stored.name) == (run, "", "model.json")
    assert (stored.description, stored.category) == ("Final", "model")
    assert stored.size_bytes == 7
    assert stored.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert stored.content_type == "application/json"
    with open_artifact(stored) as file:
        assert file.read() == b"weights"
    assert Run.objects.get().revision == run.revision + 2  # started, and now the artifact


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("model.pt", "application/octet-stream"),
        ("notes.txt", "text/plain"),
        ("data.tar.gz", "application/octet-stream"),
        ("page.html", "text/html"),
    ],
)
def test_content_type_comes_from_the_name(name, content_type):
    assert put(make_run(), name=name).content_type == content_type


def test_users_names_are_no_paths(store):
    artifact = put(make_run(), name=".hidden")

    path = Path(default_storage.path(artifact.storage_key))
    assert path.is_relative_to(store)
    assert "hidden" not in artifact.storage_key


def test_upload_on_disk_is_moved_into_the_store(store):
    with closing(TemporaryUploadedFile("x.json", "text/evil", 5, None)) as upload:
        upload.write(b"12345")
        artifact = store_artifact(make_run(), upload, name="x.json")

    assert (artifact.size_bytes, artifact.content_type) == (5, "application/json")
    assert files(store) == [b"12345"]


def test_empty_file_is_an_artifact(store):
    assert put(make_run(), b"", "empty.txt").size_bytes == 0
    assert files(store) == [b""]


def test_same_name_replaces(store):
    run = make_run()
    first = put(run, b"old")

    second = put(run, b"newer")

    first.refresh_from_db()
    assert first.deleted_at is not None
    assert second.pk != first.pk
    assert live_rows() == [("model.pt", 5)]
    assert files(store) == [b"newer"]
    with pytest.raises(NotFound, match="not there any more"):
        open_artifact(first)


def test_same_bytes_again_change_nothing(store):
    run = make_run()
    first = put(run, description="a", category="model")
    revision = Run.objects.get().revision

    second = put(run, description="a", category="model")

    assert second == first
    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])
    assert Run.objects.get().revision == revision


def test_same_bytes_with_other_words_take_the_words(store):
    run = make_run()
    first = put(run, description="a", category="model")

    put(run, description="b", category="data")

    first.refresh_from_db()
    assert (first.description, first.category) == ("b", "data")
    assert (Artifact.objects.count(), files(store)) == (1, [b"weights"])
    assert Run.objects.get().revision == run.revision + 3  # started, stored, described


def test_same_bytes_heal_a_lost_file(store):
    run = make_run()
    default_storage.delete(put(run).storage_key)

    healed = put(run)

    with open_artifact(healed) as file:
        assert file.read() == b"weights"
    assert live_rows() == [("model.pt", 7)]


def test_lost_file_is_not_found():
    artifact = put(make_run())
    default_storage.delete(artifact.storage_key)

    with pytest.raises(NotFound, match=r"The file of artifact 'model\.pt' is not there any more\."):
        open_artifact(artifact)


def test_two_runs_may_have_the_same_file(store):
    first, second = put(make_run("a")), put(make_run("b"))

    assert first.storage_key != second.storage_key
    assert files(store) == [b"weights", b"weights"]


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("", {}, "name: a name has 1 to 250 characters"),
        ("..", {}, "name: a name has 1 to 250 characters"),
        ("x" * 251, {}, "name: a name has 1 to 250 characters"),
        ("../x", {}, "name has a slash or a control character in it."),
        ("a\n", {}, "name has a slash or a control character in it."),
        ("a\0", {}, "name has a NUL character in it"),
        ("m", {"path": "a/../b"}, "path: a name has 1 to 250 characters, not only dots."),
        ("m", {"path": "/".join("x" * 600)}, "path has at most 1000 characters."),
        ("m", {"tags": "abc"}, "tags must be a list of texts."),
        ("m", {"bindrs": [""]}, "bindrs: a tag has 1 to 250 characters."),
        ("m", {"metadata": []}, "metadata must be an object."),
        ("m", {"checksum": "0" * 64}, "The file came as sha256 9a129"),
        (
            "m",
            {"category": "zzz"},
            "Invalid category: zzz. Must be one of: code, model, config, data, other",
        ),
        ("m", {"description": "a\0b"}, "description has a NUL character in it"),
    ],
)
def test_wrong_words_store_nothing(store, name, words, text):
    with pytest.raises(InvalidInput) as caught:
        put(make_run(), name=name, **words)

    assert str(caught.value).startswith(text)
    assert (live_rows(), files(store)) == ([], [])


def test_too_large_file_stores_nothing(settings, store):
    settings.MAX_ARTIFACT_BYTES = 4
    run = make_run()
    put(run, b"1234", "fits")

    with pytest.raises(FileTooLarge, match="exceeds limit of 4 bytes"):
        put(run, b"12345", "large")

    assert (live_rows(), files(store)) == ([("fits", 4)], [b"1234"])


def test_deleted_run_leaves_no_file(store):
    run = make_run()
    Run.objects.all().delete()

    with pytest.raises(RunDeleted):
        put(run)

    assert (live_rows(), files(store)) == ([], [])


def test_failed_row_leaves_no_file_and_the_old_one(monkeypatch, store):
    run = make_run()
    put(run, b"old")
    monkeypatch.setattr(artifacts, "_record", partial(fail, OperationalError("away")))

    with pytest.raises(OperationalError):
        put(run, b"newer")

    assert (live_rows(), files(store)) == ([("model.pt", 3)], [b"old"])


def test_row_that_was_written_keeps_its_file(monkeypatch, store):
    """The connection broke after the commit: nobody knows but the database."""
    run = make_run()

    def write(work):
        with transaction.atomic():
            work()
        raise OperationalError("connection lost")

    monkeypatch.setattr(artifacts.writer, "write", write)

    with pytest.raises(OperationalError):
        put(run)

    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])


def test_failing_store_leaves_no_row(monkeypatch, store):
    monkeypatch.setattr(DurableFileStorage, "save", partial(fail, OSError("disk full")))

    with pytest.raises(OSError, match="disk full"):
        put(make_run())

    assert (live_rows(), files(store)) == ([], [])


def test_deleted_artifacts_free_their_bytes_with_the_commit(store):
    run, other = make_run("a"), make_run("b")
    put(run, b"123", "x")
    put(run, b"12345", "y")
    put(run, b"1234567", "y")  # replaced: its bytes are free already
    put(other, b"1", "z")

    with transaction.atomic():
        freed_bytes = delete_artifacts(run.artifacts.all())
        assert len(files(store)) == 3

    assert freed_bytes == 10
    assert (live_rows(), files(store)) == ([("z", 1)], [b"1"])
    assert run.artifacts.count() == 0
    assert Run.objects.get(pk=run.pk).revision == 5  # a start, three uploads, a deletion


def test_files_stay_when_deleting_is_rolled_back(store):
    run = make_run()
    put(run)

    with transaction.atomic():
        delete_artifacts(run.artifacts.all())
        transaction.set_rollback(True)

    assert (live_rows(), files(store)) == ([("model.pt", 7)], [b"weights"])


def test_words_of_an_artifact_can_be_replaced_one_by_one(store):
    artifact = put(make_run(), description="Final", category="model")

    describe_artifact(artifact, tags=["best"], category="data", bindrs=["v1"], metadata={"a": 1})
    describe_artifact(artifact, description=None)

    stored = Artifact.objects.get()
    assert (stored.description, stored.category, stored.tags) == ("Final", "data", ["best"])
    assert (stored.bindrs, stored.metadata) == (["v1"], {"a": 1})


def test_unknown_category_changes_nothing(store):
    artifact = put(make_run(), category="model")

    with pytest.raises(InvalidInput, match="Invalid category: magic"):
        describe_artifact(artifact, category="magic")

    assert Artifact.objects.get().category == "model"


def fail(error: Exception, *args: object, **kwargs: object) -> None:
    raise error


def test_file_lies_in_a_folder_under_any_name_and_with_all_its_words(store):
    words = {"tags": ["best"], "bindrs": ["v1"], "metadata": {"epoch": 3}, "description": "Final"}

    artifact = put(make_run(), name="Modèle \u202f5 “best”.pt", path="/models//best/", **words)

    stored = Artifact.objects.get()
    assert stored == artifact
    assert str(stored) == "models/best/Modèle \u202f5 “best”.pt"
    assert {word: getattr(stored, word) for word in words} == words
    assert "models" not in stored.storage_key


def test_same_name_in_another_folder_is_another_file(store):
    run = make_run()
    put(run, b"1", path="a")
    put(run, b"2", path="b")
    put(run, b"3")

    assert sorted(Artifact.objects.filter(deleted_at=None).values_list("path", "size_bytes")) == [
        *(("", 1), ("a", 1), ("b", 1)),
    ]
    assert files(store) == [b"1", b"2", b"3"]


def test_checksum_that_fits_is_taken_in_any_spelling(store):
    put(make_run(), checksum=hashlib.sha256(b"weights").hexdigest().upper())

    assert files(store) == [b"weights"]


def test_withdrawn_file_frees_its_bytes_and_keeps_its_row(store):
    run = make_run()
    artifact = put(run)

    withdraw_artifact(artifact)

    stored = Artifact.objects.get()
    assert stored.deleted_at == artifact.deleted_at is not None
    assert (files(store), weigh_runs(Run.objects.all()).file_bytes) == ([], 0)
    assert Run.objects.get().revision == run.revision + 3
    with pytest.raises(NotFound):
        withdraw_artifact(artifact)
