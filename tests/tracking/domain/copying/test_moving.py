from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, default_storage
from django.core.management import CommandError, call_command

from tests.factories import make_run
from tracking.domain.artifacts import store_artifact
from tracking.domain.copying.moving import move_files
from tracking.errors import StoreAway
from tracking.models import Artifact
from tracking.storage import DurableFileStorage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def put(**files: bytes) -> list[Artifact]:
    run = make_run()
    return [store_artifact(run, ContentFile(files[name]), name=name) for name in files]


def test_files_are_copied_once_and_the_source_keeps_them():
    artifacts = put(a=b"1", b=b"22", c=b"")
    target, steps = InMemoryStorage(), []

    files, faults = move_files(default_storage, target, steps.append)

    assert (files.count, files.size_bytes, faults) == (3, 3, [])
    for artifact, content in zip(artifacts, [b"1", b"22", b""], strict=True):
        for place in (default_storage, target):
            with place.open(artifact.storage_key) as file:
                assert file.read() == content
    assert steps[-1].done == steps[-1].total


def test_what_broke_off_goes_on(monkeypatch):
    first, second = put(a=b"1", b=b"22")
    target = InMemoryStorage()
    target.save(first.storage_key, ContentFile(b"1"))
    target.save(second.storage_key, ContentFile(b"2"))  # cut off
    saved: list[str] = []
    save = target.save
    monkeypatch.setattr(target, "save", lambda key, file: saved.append(key) or save(key, file))

    _, faults = move_files(default_storage, target, lambda _: None)

    assert (saved, faults) == ([second.storage_key], [])
    assert target.size(second.storage_key) == 2


def test_lost_and_damaged_files_are_told_each_time(tmp_path):
    gone, damaged = put(a=b"1", b=b"22")
    default_storage.delete(gone.storage_key)
    Path(default_storage.path(damaged.storage_key)).write_bytes(b"xx")
    target = DurableFileStorage(tmp_path / "target")

    for _ in range(2):
        _, faults = move_files(default_storage, target, lambda _: None)
        assert faults == [
            "proj/run-1/a: its file is not there",
            "proj/run-1/b: its file has other bytes",
        ]

    assert not target.exists(damaged.storage_key)


def test_command_needs_a_bucket():
    with pytest.raises(CommandError, match="RUNYARD_S3_BUCKET names no bucket"):
        call_command("move-artifacts")


def test_command_copies_there_and_back(settings, capsys):
    (artifact,) = put(a=b"12345")
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }

    call_command("move-artifacts")
    (settings.MEDIA_ROOT / artifact.storage_key).unlink()
    call_command("move-artifacts", "--back")

    assert capsys.readouterr().out == "1 files, 0.0 MB are there.\n" * 2
    assert (settings.MEDIA_ROOT / artifact.storage_key).read_bytes() == b"12345"


def test_command_says_when_the_store_is_away(settings, monkeypatch):
    put(a=b"1")
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }

    def fail(*_: object) -> None:
        raise StoreAway("The store is away.")

    monkeypatch.setattr(InMemoryStorage, "size", fail)

    with pytest.raises(CommandError, match=r"The store is away\. Run this again to go on\."):
        call_command("move-artifacts")
