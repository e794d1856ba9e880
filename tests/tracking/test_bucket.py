"""What a bucket's storage makes of a store's answers; tests/tracking/test_real_bucket.py has one."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, IncompleteReadError
from botocore.stub import Stubber

from tracking.bucket import BucketStorage, ObjectReader, PieceReader
from tracking.errors import StoreAway
from tracking.storage import StoredFile

CONTENT = bytes(range(250))


@pytest.fixture
def storage() -> BucketStorage:
    return BucketStorage(
        bucket_name="bucket",
        access_key="a",
        secret_key="s",
        region_name="us-east-1",
        location="runs",
    )


class Body(io.BytesIO):
    """A connection that breaks after so many bytes."""

    def __init__(self, content: bytes, breaks_after: int) -> None:
        super().__init__(content)
        self.breaks_after = breaks_after

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self.breaks_after:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        return super().read(min(size or 0, self.breaks_after - self.tell()))


def reader(*, breaks_after: int = 10_000) -> tuple[ObjectReader, list[int]]:
    asked: list[int] = []

    def fetch(start: int) -> Any:
        asked.append(start)
        return Body(CONTENT[start:], breaks_after)

    return ObjectReader(fetch, len(CONTENT)), asked


def test_object_is_asked_for_once_and_only_when_it_is_read():
    file, asked = reader()

    assert asked == []
    assert (file.read(100), file.read(100), file.read(100)) == (
        CONTENT[:100],
        CONTENT[100:200],
        CONTENT[200:],
    )
    assert (file.read(1), asked) == (b"", [0])


@pytest.mark.parametrize(
    ("place", "expected"), [((100,), 100), ((-5, io.SEEK_END), 245), ((3, io.SEEK_CUR), 13)]
)
def test_object_is_read_from_any_place_on(place, expected):
    file, asked = reader()
    file.read(10)

    assert file.seek(*place) == file.tell() == expected

    assert (file.read(), asked) == (CONTENT[expected:], [0, expected])


def test_reading_goes_on_where_a_connection_broke():
    file, asked = reader(breaks_after=100)

    assert file.readall() == CONTENT
    assert asked == [0, 100, 200]


def test_reading_ends_when_nothing_comes_any_more():
    file, asked = reader(breaks_after=0)

    with pytest.raises(StoreAway):
        file.read(1)

    assert asked == [0, 0, 0]


def test_pieces_are_read_in_parts_of_any_size():
    file = PieceReader(iter([b"ab", b"cdefg", b"h"]))

    assert [file.read(4), file.read(2), file.read(), file.read()] == [b"abcd", b"ef", b"gh", b""]


def test_broken_connection_is_a_store_away_for_a_while(monkeypatch, storage):
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="http://store")

    monkeypatch.setattr(storage.client, "head_object", fail)
    with pytest.raises(StoreAway):
        storage.exists("key")

    monkeypatch.setattr(storage.client, "head_object", lambda **_: {"ContentLength": 7})
    with pytest.raises(StoreAway):  # nobody is kept waiting
        storage.exists("key")
    storage._away_until = 0

    assert storage.size("key") == 7


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", "SlowDown", "NoSuchUpload"])
def test_refusal_is_a_store_away(storage, code):
    with Stubber(storage.client) as store:
        store.add_client_error("delete_object", code, http_status_code=404)
        with pytest.raises(StoreAway):
            storage.delete("key")


def test_missing_file_is_told_from_a_missing_bucket(storage):
    asked = {"Bucket": "bucket", "Key": "runs/key"}
    with Stubber(storage.client) as store:
        store.add_client_error("head_object", "404", http_status_code=404, expected_params=asked)
        store.add_response("head_bucket", {}, {"Bucket": "bucket"})
        assert not storage.exists("key")

        store.add_client_error("head_object", "404", http_status_code=404, expected_params=asked)
        store.add_client_error("head_bucket", "404", http_status_code=404)
        with pytest.raises(StoreAway):
            storage.exists("key")


def test_key_leads_nowhere_else(storage):
    with pytest.raises(Exception, match="denied"):
        storage.exists("../other/key")


def test_no_link_leads_past_the_server_unless_that_is_wanted(storage):
    assert storage.make_link("key", name="a.html") == ""


def test_link_makes_browsers_save_the_file(storage):
    storage.is_direct = True

    link = storage.make_link("key", name="a.html")

    assert link.startswith("https://bucket.s3.amazonaws.com/runs/key?")
    assert "response-content-type=application%2Foctet-stream" in link
    assert "response-content-disposition=attachment%3B%20filename%3D%22a.html%22" in link
    assert "X-Amz-Expires=300" in link


@pytest.mark.parametrize(
    ("code", "text", "may_pass"),
    [
        ("SignatureDoesNotMatch", "RUNYARD_S3_SECRET_KEY is not the secret", False),
        ("NoSuchBucket", "there is no bucket of the name in RUNYARD_S3_BUCKET", False),
        ("SlowDown", "the store refuses", True),
    ],
)
def test_fault_is_explained(storage, code, text, may_pass):
    with Stubber(storage.client) as store:
        params = {"Bucket": "bucket", "Prefix": "runs", "MaxKeys": 1}
        store.add_client_error("list_objects_v2", code, expected_params=params)
        said, is_passing = storage.find_fault()

    assert said.startswith(text)
    assert is_passing is may_pass


def test_no_fault_is_no_text(storage):
    with Stubber(storage.client) as store:
        store.add_response("list_objects_v2", {})
        assert storage.find_fault() == ("", False)


def test_unfinished_uploads_are_found_and_dropped(storage):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    uploads = [{"Key": "runs/ab/cd/x", "UploadId": "7", "Initiated": moment}]
    with Stubber(storage.client) as store:
        store.add_response("list_multipart_uploads", {"Uploads": uploads})
        found = list(storage.list_unfinished())
        params = {"Bucket": "bucket", "Key": "runs/ab/cd/x", "UploadId": "7"}
        store.add_response("abort_multipart_upload", {}, params)
        storage.drop_unfinished(found[0])
        store.assert_no_pending_responses()

    assert found == [StoredFile("ab/cd/x", 0, moment, "7")]


@pytest.mark.parametrize("code", ["NoSuchUpload", "NotImplemented", "MethodNotAllowed"])
def test_store_may_know_of_no_uploads(storage, code):
    with Stubber(storage.client) as store:
        store.add_client_error("list_multipart_uploads", code)
        assert list(storage.list_unfinished()) == []
