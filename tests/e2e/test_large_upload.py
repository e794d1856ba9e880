import hashlib
import os
from pathlib import Path

import pytest
import requests

from tests.e2e.live import live_server

pytestmark = pytest.mark.e2e
MEGABYTE = 1024**2


def peak_bytes(pid: int) -> int:
    """The most memory the process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_large_upload_is_never_in_memory(tmp_path):
    content = os.urandom(64 * MEGABYTE)
    with live_server() as server:
        runs = f"{server.url}/api/v1/projects/p/runs"
        requests.post(runs, json={"name": "r"}, timeout=30)
        before = peak_bytes(server.pid)

        answer = requests.post(
            f"{runs}/r/artifacts", files={"file": ("model.pt", content)}, timeout=120
        )

        assert answer.json() == {"artifact_name": "model.pt", "file_size": 64 * MEGABYTE}
        assert peak_bytes(server.pid) - before < 32 * MEGABYTE
        [stored] = [p for p in (server.data_dir / "artifacts").rglob("*") if p.is_file()]
        with stored.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(content).digest()
