"""A bucket of a store that verifies signatures."""

import io
import os
from collections.abc import Iterator

import pytest
import requests
from django.core.files.base import ContentFile

from tests.services.s3 import BUCKET, KEY, S3, SECRET, s3
from tracking.bucket import PART_BYTES, BucketStorage
from tracking.errors import StoreAway
from tracking.storage import list_files

pytestmark = pytest.mark.full
NAME = f"ab/cd/{'0' * 32}"
CONTENT = os.urandom(PART_BYTES + 17)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3() as server:
        yield server


def connect(server: S3, **said: object) -> BucketStorage:
    usual = {"bucket_name": BUCKET, "endpoint_url": server.url, "region_name": "us-east-1"}
    keys = {"access_key": KEY, "secret_key": SECRET}
    return BucketStorage(**usual | keys | {"location": "runs"} | said)


@pytest.fixture
def storage(server) -> Iterator[BucketStorage]:
    storage = connect(server)
    yield storage
    for file in list(list_files(storage, "ab")):
        storage.delete(file.key)
    storage.client.close()


class Cut(ContentFile):
    """A source that breaks after more than one part."""

    def chunks(self, chunk_size=None):
        yield bytes(2 * PART_BYTES)
        raise OSError("cut off")


@pytest.mark.parametrize("content", [b"", b"12345", CONTENT])
def test_file_comes_back_as_it_was(server, storage, content):
    assert storage.save(NAME, ContentFile(content)) == NAME

    assert (server.bucket / "runs" / NAME).read_bytes() == content
    assert (storage.exists(NAME), storage.size(NAME)) == (True, len(content))
    with storage.open(NAME) as file:
        assert file.read() == content
        assert file.seek(-5, io.SEEK_END) == max(0, len(content) - 5)
        assert file.read() == content[-5:]
        file.seek(0)
        assert b"".join(file.chunks()) == content


def test_files_are_listed_and_deleted(storage):
    storage.save(NAME, ContentFile(b"12345"))

    assert [(file.key, file.size_bytes) for file in list_files(storage, "ab")] == [(NAME, 5)]
    assert storage.listdir("") == (["ab"], [])
    storage.delete(NAME)
    storage.delete(NAME)  # again, for what is gone is gone

    assert (storage.exists(NAME), list(list_files(storage, "ab"))) == (False, [])
    with pytest.raises(FileNotFoundError):
        storage.open(NAME)


def test_upload_that_breaks_off_leaves_nothing(server, storage):
    with pytest.raises(OSError, match="cut off"):
        storage.save(NAME, Cut(b""))

    assert not storage.exists(NAME)
    assert list(storage.list_unfinished()) == []


def test_upload_whose_server_was_killed_is_found_and_dropped(storage):
    place = {"Bucket": BUCKET, "Key": f"runs/{NAME}"}
    storage.client.create_multipart_upload(**place)

    (upload,) = storage.list_unfinished()
    assert upload.key == NAME
    storage.drop_unfinished(upload)

    assert list(storage.list_unfinished()) == []


def test_link_saves_the_file_whatever_its_name(storage):
    storage.is_direct = True
    storage.save(NAME, ContentFile(b"<script>"))

    answer = requests.get(storage.make_link(NAME, name='a"b\n.html'), timeout=10)

    assert answer.content == b"<script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''a%22b%0A.html"


def test_link_opens_nothing_else(storage):
    storage.is_direct = True
    link = storage.make_link(NAME, name="a")

    assert requests.get(link.replace("0000?", "1111?"), timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, ""),
        ({"secret_key": "other"}, "RUNYARD_S3_SECRET_KEY is not the secret"),
        ({"access_key": "other"}, "the store does not know the key in RUNYARD_S3_ACCESS_KEY"),
        ({"bucket_name": "other"}, "there is no bucket of the name in RUNYARD_S3_BUCKET"),
    ],
)
def test_wrong_settings_are_explained(server, said, text):
    storage = connect(server, **said)

    found, may_pass = storage.find_fault()

    assert found.startswith(text)
    assert (bool(found), may_pass) == (bool(text), False)
    storage.client.close()


def test_lost_bucket_is_not_a_lost_file(server):
    storage = connect(server, bucket_name="other")

    for ask in (storage.exists, storage.open, lambda name: storage.save(name, ContentFile(b"1"))):
        with pytest.raises(StoreAway):
            ask(NAME)
    storage.client.close()
