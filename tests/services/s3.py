"""An S3 of its own that verifies signatures: `with s3() as server: … server.env() …`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.process import Service, free_port

BUCKET = "runyard"
KEY, SECRET = "test-key", "test-secret"  # known to nobody but this process's own server


class S3(Service):
    """rclone over a folder: objects are files of `folder`/objects/BUCKET."""

    def __init__(self, folder: Path) -> None:
        binary = Path(sys.executable).with_name("rclone")
        assert binary.exists(), "make setup brings S3 for the tests"
        self.bucket = folder / "objects" / BUCKET
        self.bucket.mkdir(parents=True, exist_ok=True)
        port = free_port()
        flags = ["--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}"]
        config = ["--config", str(folder / "rclone.conf"), "--vfs-cache-mode", "off"]
        super().__init__(
            folder,
            [str(binary), "serve", "s3", *flags, *config, str(self.bucket.parent)],
            port,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def env(self) -> dict[str, str]:
        """What a server needs to keep its artifacts here."""
        return {
            "RUNYARD_S3_BUCKET": BUCKET,
            "RUNYARD_S3_ENDPOINT": self.url,
            "RUNYARD_S3_ACCESS_KEY": KEY,
            "RUNYARD_S3_SECRET_KEY": SECRET,
        }


@contextmanager
def s3() -> Iterator[S3]:
    with tempfile.TemporaryDirectory(prefix="runyard-s3-") as folder:
        server = S3(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
