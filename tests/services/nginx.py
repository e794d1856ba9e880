"""nginx with the configuration of deploy/, on a port of its own: `with nginx([3141, 3142]) as proxy:`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.process import Service, free_port

ROOT = Path(__file__).resolve().parents[2]
BINARY = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx(Service):
    """Only ports and places of files are other than in the recipe."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        assert BINARY, "make test-full brings nginx: apt-get install nginx-light"
        port = free_port()
        config = folder / "nginx.conf"
        config.write_text(configuration(folder, port, ports))
        super().__init__(folder, [BINARY, "-p", str(folder), "-c", str(config)], port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def find_fault(self) -> str:
        """What it says of its configuration, if that is not well."""
        asked = subprocess.run([*self.command, "-t"], check=False, capture_output=True, text=True)
        return asked.stderr if asked.returncode or "[warn]" in asked.stderr else ""


def configuration(folder: Path, port: int, ports: Sequence[int]) -> str:
    upstream = (ROOT / "deploy/systemd/upstream.conf").read_text()
    for shipped, used in zip((3141, 3142), ports, strict=True):
        upstream = upstream.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{used}")
    site = (ROOT / "deploy/nginx/runyard.conf").read_text()
    assert "listen 80;" in site
    places = "\n".join(f"{name}_temp_path {folder / name};" for name in SCRATCH)
    return "\n".join(
        [
            "user root;" if os.geteuid() == 0 else "",  # the folder is nobody else's
            f"pid {folder / 'pid'}; daemon off; worker_processes 1; error_log stderr warn;",
            "events {}",
            f"http {{ access_log off; {places}",
            upstream,
            site.replace("listen 80;", f"listen 127.0.0.1:{port};"),
            "}",
        ]
    )


@contextmanager
def nginx(ports: Sequence[int]) -> Iterator[Nginx]:
    with tempfile.TemporaryDirectory(prefix="runyard-nginx-") as folder:
        server = Nginx(Path(folder), ports)
        server.start()
        try:
            yield server
        finally:
            server.stop()
