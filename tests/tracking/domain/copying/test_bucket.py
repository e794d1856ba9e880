"""Backup and restore of an installation whose files lie in a bucket."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import make_run
from tests.services.s3 import BUCKET, KEY, SECRET, s3
from tracking.bucket import PART_BYTES, BucketStorage
from tracking.domain.artifacts import store_artifact
from tracking.domain.copying.backups import make_backup
from tracking.domain.copying.files import copy_files
from tracking.domain.copying.transfer import Meter, Tell
from tracking.storage import DurableFileStorage

pytestmark = [pytest.mark.full, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bucket(settings) -> Iterator[BucketStorage]:
    with s3() as server:
        options = {
            "bucket_name": BUCKET,
            "endpoint_url": server.url,
            "region_name": "us-east-1",
            "access_key": KEY,
            "secret_key": SECRET,
        }
        backend = {"BACKEND": "tracking.bucket.BucketStorage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"default": backend}
        yield default_storage
        default_storage.client.close()


@pytest.mark.parametrize("size_bytes", [0, 5, PART_BYTES, 2 * PART_BYTES + 17])
def test_files_of_a_bucket_are_backed_up_and_put_back(
    bucket: BucketStorage, tmp_path: Path, told: Tell, size_bytes: int
) -> None:
    content = os.urandom(size_bytes)
    key = store_artifact(make_run(), ContentFile(content), name="a").storage_key

    made = make_backup(tmp_path / "backup", told)
    bucket.delete(key)
    folder = DurableFileStorage(tmp_path / "backup" / "artifacts")
    files = copy_files("default", folder, bucket, Meter("files", 1, told))

    assert (made.faults, files.wrong, files.missing, files.count) == ([], [], [], 1)
    with bucket.open(key) as file:
        assert file.read() == content


@pytest.mark.parametrize("size_bytes", [5, PART_BYTES, 2 * PART_BYTES + 17])
def test_damaged_file_never_gets_into_the_bucket(
    bucket: BucketStorage, tmp_path: Path, told: Tell, size_bytes: int
) -> None:
    artifact = store_artifact(make_run(), ContentFile(bytes(size_bytes)), name="a")
    bucket.delete(artifact.storage_key)
    folder = DurableFileStorage(tmp_path / "damaged")
    folder.save(artifact.storage_key, ContentFile(b"x" * size_bytes))

    for _ in range(2):
        files = copy_files("default", folder, bucket, Meter("files", 1, told))
        assert (files.count, files.wrong) == (0, [artifact.pk])

    assert not bucket.exists(artifact.storage_key)
    assert list(bucket.list_unfinished()) == []
