"""Artifacts in a bucket that speaks S3: whole objects or none, and a store that may be away."""

import io
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    SSLError,
)
from django.core.files.base import File
from django.utils.http import content_disposition_header
from s3transfer.manager import (
    TransferConfig,
    TransferManager,
)
from storages.backends.s3 import S3Storage

from tracking.errors import StoreAway
from tracking.storage import StoredFile

# Two tries more after a failure, within about a minute at the worst: the client waits meanwhile.
CLIENT = Config(
    signature_version="s3v4",
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=64,  # each download that is on its way holds one
    tcp_keepalive=True,
    # Many stores know no checksums of this kind. Ours is the sha256 of each file.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
PART_BYTES = 8 * 1024**2  # 10 GiB are 1,280 parts; 10,000 are allowed
# For all uploads of the process together; what lies on disk is sent from there.
TRANSFER = TransferConfig(
    multipart_threshold=PART_BYTES,
    multipart_chunksize=PART_BYTES,
    max_request_concurrency=8,
    max_in_memory_upload_chunks=4,
)
# Should anybody open the bucket to the world, nothing in it runs in a browser.
FACTS = {"ContentType": "application/octet-stream", "ContentDisposition": "attachment"}
LINK_S = 300  # how long a link opens a file; a download that has begun goes on
BUFFER_BYTES = 256 * 1024
READ_TRIES = 3
PAUSE_S = 3  # nobody asks a store again that did not answer just now: waiting costs a thread
EXPLAINED = {
    "AccessDenied": "these keys may not list the bucket of RUNYARD_S3_BUCKET",
    "AuthorizationHeaderMalformed": "RUNYARD_S3_REGION is not where the bucket is",
    "InvalidAccessKeyId": "the store does not know the key in RUNYARD_S3_ACCESS_KEY",
    "NoSuchBucket": "there is no bucket of the name in RUNYARD_S3_BUCKET",
    "PermanentRedirect": "RUNYARD_S3_REGION is not where the bucket is",
    "RequestTimeTooSkewed": "the clocks of this machine and of the store differ too much",
    "SignatureDoesNotMatch": "RUNYARD_S3_SECRET_KEY is not the secret of RUNYARD_S3_ACCESS_KEY",
}
PASSING = {"InternalError", "ServiceUnavailable", "SlowDown", "500", "502", "503", "504"}
MISSING = {"404", "NoSuchKey", "NotFound"}
NO_UPLOADS = {"NoSuchUpload", "NotImplemented", "MethodNotAllowed"}
AWAY = "The store of files does not answer; try again."

log = logging.getLogger(__name__)


class BucketStorage(S3Storage):
    """One client for all threads; each failure is FileNotFoundError or StoreAway."""

    def __init__(self, *, is_direct: bool = False, **options: Any) -> None:
        super().__init__(**options, default_acl=None, gzip=False)
        # Amazon's own are named by region and bucket: else links lead to where a bucket is not yet.
        is_plain = not self.endpoint_url and "." not in self.bucket_name
        style = Config(s3={"addressing_style": "virtual" if is_plain else "auto"})
        self.client_config = CLIENT.merge(style)
        self.is_direct = is_direct
        self._making = threading.Lock()
        self._away_until = 0.0

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    @property
    def connection(self) -> Any:
        """The base makes one for each thread, and each request has a thread of its own."""
        with self._making:
            return self._shared

    @cached_property
    def _shared(self) -> Any:
        return self._create_session().resource(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            config=self.client_config,
            verify=self.verify,
        )

    def _create_session(self) -> Any:
        """With no keys the SDK looks for them: variables, files, the machine's role."""
        if not self.access_key:
            return boto3.Session()
        return boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key
        )

    @cached_property
    def _transfers(self) -> TransferManager:
        return TransferManager(self.client, TRANSFER)

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}

    @contextmanager
    def asking(self, name: str = "") -> Iterator[None]:
        """Raises: FileNotFoundError, StoreAway."""
        if time.monotonic() < self._away_until:
            raise StoreAway(AWAY)
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                raise FileNotFoundError(name) from None
            log.warning("The store of files refused: %s", error)
            raise StoreAway(AWAY) from error
        except BotoCoreError as error:
            self._away_until = time.monotonic() + PAUSE_S
            log.warning("The store of files does not answer: %s", error)
            raise StoreAway(AWAY) from error

    def _save(self, name: str, content: "File[bytes]") -> str:
        """In parts where it is large; they are taken back when one of them fails."""
        content.seek(0)  # which also writes what the file still holds in memory
        path = getattr(content, "temporary_file_path", None)
        place = self._at(name)
        with self.asking(name):
            source = path() if path else PieceReader(content.chunks(PART_BYTES))
            self._transfers.upload(source, *place.values(), extra_args=FACTS).result()
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":  # noqa: ARG002 -- Django passes it
        size_bytes = self.size(name)

        def fetch(start: int) -> Any:
            with self.asking(name):
                return self.client.get_object(**self._at(name), Range=f"bytes={start}-")["Body"]

        return File(io.BufferedReader(ObjectReader(fetch, size_bytes), BUFFER_BYTES), name)

    def size(self, name: str) -> int:
        return int(self._head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> Any:
        return self._head(name)["LastModified"]

    def exists(self, name: str) -> bool:
        try:
            self._head(name)
        except FileNotFoundError:
            return False
        return True

    def _head(self, name: str) -> dict[str, Any]:
        with self.asking(name):
            try:
                return dict(self.client.head_object(**self._at(name)))
            except ClientError as error:
                if error.response["Error"]["Code"] in MISSING:
                    self._require_bucket()
                raise

    def _require_bucket(self) -> None:
        """No file is said to be gone because the whole bucket is: a HEAD does not tell which."""
        try:
            self.client.head_bucket(Bucket=self.bucket_name)
        except ClientError as error:
            raise StoreAway(AWAY) from error

    def delete(self, name: str) -> None:
        try:
            with self.asking(name):
                self.client.delete_object(**self._at(name))
        except FileNotFoundError:
            pass  # some stores say so

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with self.asking(path):
            folders, names = super().listdir(path)
        return folders, names

    def list_files(self, folder: str) -> Iterator[StoredFile]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=self._normalize_name(folder).rstrip("/") + "/"
        )
        with self.asking(folder):
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield StoredFile(self._key(entry), entry["Size"], entry["LastModified"])

    def list_unfinished(self) -> Iterator[StoredFile]:
        """Uploads that neither came to their end nor were taken back: their server was killed."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self.bucket_name, Prefix=self.location
        )
        with self.asking(), _no_uploads():
            for page in pages:
                for entry in page.get("Uploads", ()):
                    yield StoredFile(self._key(entry), 0, entry["Initiated"], entry["UploadId"])

    def drop_unfinished(self, file: StoredFile) -> None:
        with self.asking(file.key), _no_uploads():
            self.client.abort_multipart_upload(**self._at(file.key), UploadId=file.upload_id)

    def _key(self, entry: dict[str, Any]) -> str:
        return str(entry["Key"])[len(self.location) :].lstrip("/")

    def make_link(self, key: str, *, name: str) -> str:
        """Whoever has it reads the file, for a while; to be saved, never to be shown."""
        if not self.is_direct:
            return ""
        said = {
            "ResponseContentType": FACTS["ContentType"],
            "ResponseContentDisposition": content_disposition_header(
                as_attachment=True, filename=name
            ),
        }
        with self.asking(key):
            return str(self.url(key, parameters=said, expire=LINK_S))

    def find_fault(self) -> tuple[str, bool]:
        """What is wrong with keys, bucket or place, and whether it may pass by itself; or ""."""
        try:
            self.client.list_objects_v2(Bucket=self.bucket_name, Prefix=self.location, MaxKeys=1)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return EXPLAINED.get(code, f"the store refuses: {error}"), code in PASSING
        except NoCredentialsError:
            return "no keys are there: set RUNYARD_S3_ACCESS_KEY and RUNYARD_S3_SECRET_KEY", False
        except SSLError as error:
            return f"its certificate is not trusted, RUNYARD_S3_CA may name one: {error}", False
        except BotoCoreError as error:
            return str(error), True
        return "", False


@contextmanager
def _no_uploads() -> Iterator[None]:
    """A store that knows of none says so as if it were an error, or cannot tell at all."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in NO_UPLOADS:
            raise


class PieceReader:
    """What comes in pieces of any size, read in parts of a size that is asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = sys.maxsize) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            length += len(piece)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]


class ObjectReader(io.RawIOBase):
    """An object as it comes; from any place on, and on from where a connection broke."""

    def __init__(self, fetch: Callable[[int], Any], size_bytes: int) -> None:
        super().__init__()
        self._fetch, self._size = fetch, size_bytes
        self._position = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset != self._position:
            self._drop()
            self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Raises: StoreAway, FileNotFoundError."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        for _ in range(READ_TRIES):
            if piece := self._read(wanted):
                buffer[: len(piece)] = piece
                self._position += len(piece)
                return len(piece)
        raise StoreAway(AWAY)

    def _read(self, wanted: int) -> bytes:
        """Nothing when the connection breaks: the next one begins at the same place."""
        self._body = self._body or self._fetch(self._position)
        try:
            piece: bytes = self._body.read(wanted)
        except BotoCoreError as error:
            log.warning("A file broke off and is asked for again: %s", error)
            piece = b""
        if not piece:
            self._drop()
        return piece

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def close(self) -> None:
        self._drop()
        super().close()
