import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from tests.factories import make_run
from tracking.domain.artifacts import delete_artifacts, store_artifact
from tracking.domain.stored_files import Fault, check_files
from tracking.errors import StoreAway
from tracking.models import Artifact
from tracking.storage import DurableFileStorage

pytestmark = pytest.mark.django_db(transaction=True)
KEY = f"ab/cd/{'0' * 32}"
DRAFT = f"incoming/{'1' * 32}"
DAY_S = 24 * 3600


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def keep(key: str, *, age_s: float = 2 * DAY_S) -> None:
    path = default_storage.path(default_storage.save(key, ContentFile(b"12345")))
    os.utime(path, times=(time.time() - age_s,) * 2)


def files(store: Path) -> list[str]:
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())


def test_store_that_was_never_used_has_no_faults():
    assert list(check_files()) == []


def test_files_and_artifacts_that_name_each_other_are_no_fault():
    store_artifact(make_run(), ContentFile(b"1"), name="a")

    assert list(check_files(mend=True)) == []


@pytest.mark.parametrize("key", [KEY, DRAFT])
def test_file_that_nothing_names_is_told_and_removed(store, key):
    keep(key)
    text = "no artifact has these 5 bytes"

    assert list(check_files()) == [Fault(key, text)]
    assert files(store) == [key]
    assert list(check_files(mend=True)) == [Fault(key, text, is_mended=True)]
    assert files(store) == []


def test_file_of_the_last_day_is_on_its_way(store):
    keep(KEY, age_s=DAY_S - 60)

    assert list(check_files(mend=True)) == []
    assert files(store) == [KEY]


@pytest.mark.parametrize("key", ["backup.tar", "ab/cd/notes.txt", "other/0/1/2", f"x{KEY}"])
def test_files_of_others_are_left_alone(store, key):
    keep(key)

    assert list(check_files(mend=True)) == []
    assert files(store) == [key]


def test_replaced_file_that_could_not_be_removed_is_swept_out(monkeypatch, store):
    run = make_run()
    artifact = store_artifact(run, ContentFile(b"12345"), name="a")
    monkeypatch.setattr(DurableFileStorage, "delete", fail)
    delete_artifacts(run.artifacts.all())  # the rows go although the store is away
    monkeypatch.undo()
    path = default_storage.path(artifact.storage_key)
    os.utime(path, times=(time.time() - 2 * DAY_S,) * 2)

    assert (Artifact.objects.count(), len(files(store))) == (0, 1)
    assert len(list(check_files(mend=True))) == 1
    assert files(store) == []


def test_artifact_whose_file_is_gone_or_cut_short_is_told():
    run = make_run()
    gone, cut = (store_artifact(run, ContentFile(b"12345"), name=name) for name in ("a", "b"))
    default_storage.delete(gone.storage_key)
    Path(default_storage.path(cut.storage_key)).write_bytes(b"12")

    faults = sorted(check_files(mend=True), key=lambda fault: fault.where)

    assert faults == [
        Fault("proj/run-1/a", "the artifact's file is gone"),
        Fault("proj/run-1/b", "the artifact's file has 2 bytes, not 5"),
    ]


def test_command_looks_at_files_alone(capsys):
    keep(KEY)

    call_command("checkstore", "--files", "--mend")

    assert capsys.readouterr().out == (
        f"mended  {KEY}: no artifact has these 5 bytes\n1 faults, 1 mended, 0 left.\n"
    )


def test_command_says_when_the_store_is_away(monkeypatch):
    monkeypatch.setattr(DurableFileStorage, "listdir", fail)

    with pytest.raises(CommandError, match=r"not all looked at: The store is away\."):
        call_command("checkstore", "--files")


def fail(*_: object) -> None:
    raise StoreAway("The store is away.")
