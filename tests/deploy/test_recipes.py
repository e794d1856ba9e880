"""What can be said of deploy/ without Docker and without systemd running."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.bundle import for_any_patch
from tests.services.s3 import s3

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
UNIT = ROOT / "deploy" / "systemd" / "runyard@.service"
VARIABLE = re.compile(r"\b(?:RUNYARD_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)\b")
OF_COMPOSE = {"RUNYARD_HOST", "RUNYARD_PORT"}  # said in .env, read by compose.yaml itself


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return found


def pins(name: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))


def test_servers_lock_is_part_of_the_lock() -> None:
    of_server = pins("requirements-server.lock")

    assert of_server - pins("requirements.lock") == set()
    assert {pin.split("==")[0] for pin in of_server} >= {"django", "psycopg", "redis", "boto3"}
    assert not {pin.split("==")[0] for pin in of_server} & {"pytest", "ruff", "playwright"}


def test_bundle_holds_what_some_patch_of_this_python_needs() -> None:
    major, minor = sys.version_info[:2]
    lock = (
        f"early==1 ; python_full_version < '{major}.{minor}.3' \\\n    --hash=sha256:a\n"
        f"other==1 ; python_full_version >= '{major}.{minor + 1}' \\\n    --hash=sha256:b\n"
        "always==1 \\\n    --hash=sha256:c \\\n    --hash=sha256:d\n"
    )

    assert for_any_patch(lock) == (
        "early==1 \\\n    --hash=sha256:a\n"
        "always==1 \\\n    --hash=sha256:c \\\n    --hash=sha256:d\n"
    )


def test_nobody_but_nginx_publishes_a_port(compose: dict[str, Any]) -> None:
    published = {name for name, service in compose["services"].items() if "ports" in service}

    assert published == {"nginx"}
    assert compose["networks"]["back"] == {"internal": True}
    stores = {"postgres", "redis", "s3"}
    assert {compose["services"][name]["networks"][0] for name in stores} == {"back"}


def test_every_service_says_how_it_is_and_comes_back(compose: dict[str, Any]) -> None:
    once = "prepare"
    services = dict(compose["services"])
    assert services.pop(once)["restart"] == "on-failure:5"

    # The image of the servers has a health check of its own.
    assert {n for n, s in services.items() if "healthcheck" not in s} == {"server-1", "server-2"}
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}
    assert {service["depends_on"][once]["condition"] for name, service in services.items()
            if name.startswith("server-")} == {"service_completed_successfully"}  # fmt: skip


def test_secrets_are_files_that_the_script_makes(compose: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy(DOCKER / "make-secrets.sh", tmp_path)
    for _ in range(2):  # the second time changes nothing
        subprocess.run(["sh", tmp_path / "make-secrets.sh"], check=True)
        made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    assert {f"secrets/{name}" for name in made} == {s["file"] for s in compose["secrets"].values()}
    assert made["postgres_password"] in made["database_url"]
    assert made["redis_password"] in made["redis_url"]
    assert made["redis_password"] in made["redis.conf"]
    assert yaml.safe_load(made["s3.json"])["identities"][0]["credentials"] == [
        {"accessKey": made["s3_access_key"], "secretKey": made["s3_secret_key"]}
    ]
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    used = {secret for s in compose["services"].values() for secret in s.get("secrets", [])}
    assert used == set(made)


def test_recipes_name_variables_that_there_are() -> None:
    texts = [
        path.read_text() for path in (ROOT / "deploy").rglob("*") if path.suffix != ".conf" and path.is_file()
        and "secrets" not in path.parts and "__pycache__" not in path.parts
    ]  # fmt: skip
    known = set(VARIABLE.findall((ROOT / "docs/configuration.md").read_text()))

    used = {name.removesuffix("_FILE") for text in texts for name in VARIABLE.findall(text)}

    assert used - known == OF_COMPOSE


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_unit_is_well_formed_and_shut_in(tmp_path: Path) -> None:
    unit = tmp_path / "runyard@3141.service"
    unit.write_text(UNIT.read_text())

    for check in (["verify", "--man=no"], ["security", "--offline=true", "--threshold=25"]):
        result = subprocess.run(
            ["systemd-analyze", *check, str(unit)], capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert check[0] != "verify" or result.stderr == ""


@pytest.mark.full
def test_bucket_is_made_once(tmp_path: Path) -> None:
    with s3() as store:
        told = {"RUNYARD_DATA_DIR": str(tmp_path), "RUNYARD_S3_BUCKET": "fresh"}
        for _ in range(2):
            subprocess.run(
                [sys.executable, DOCKER / "make_bucket.py"],
                env=os.environ | store.env() | told,
                check=True,
            )
        assert (store.bucket.parent / "fresh").is_dir()
