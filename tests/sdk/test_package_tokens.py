"""The file in which the published `ml-dash` 0.6.27 and 0.11.0 keep their token."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from runyard import package_tokens
from runyard.cli import main

from tests.sdk.door import Answer, Door

TOKEN = "ry_" + "0123456789abcdef" * 4


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / ".dash"


@pytest.fixture
def server(door: Door) -> Door:
    words, headers = {"username": "alice"}, {"Runyard-Token-Scope": "write"}
    door.fault = lambda path: Answer(200, words, headers) if path == "/auth/me" else Answer(405)
    return door


def read(home: Path) -> dict[str, str]:
    """As the package does."""
    key = (home / "encryption.key").read_bytes()
    content = Fernet(key).decrypt((home / "tokens.encrypted").read_bytes())
    return json.loads(content)  # type: ignore[no-any-return]


def write(home: Path, entries: dict[str, str]) -> bytes:
    home.mkdir(parents=True)
    key = Fernet.generate_key()
    (home / "encryption.key").write_bytes(key)
    (home / "tokens.encrypted").write_bytes(Fernet(key).encrypt(json.dumps(entries).encode()))
    return key


def test_login_on_request_lets_the_package_in_and_logout_takes_it_away(
    server: Door, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["login", server.url, "--token", TOKEN, "--ml-dash"]) == 0

    place = home / "tokens.encrypted"
    assert f"The published ml-dash finds it in {place}," in capsys.readouterr().err
    assert read(home) == {"ml-dash-token": TOKEN}
    for name in ("encryption.key", "tokens.encrypted"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600

    assert main(["logout", server.url]) == 0
    assert f"The published ml-dash has it no more in {place}." in capsys.readouterr().err
    assert read(home) == {}


def test_login_without_being_asked_leaves_the_package_alone(server: Door, home: Path) -> None:
    assert main(["login", server.url, "--token", TOKEN]) == 0

    assert not (home / "tokens.encrypted").exists()


def test_what_else_the_package_keeps_stays_and_so_does_its_key(home: Path) -> None:
    key = write(home, {"other": "x", "ml-dash-token": "old"})

    package_tokens.store_token(TOKEN)
    assert read(home) == {"other": "x", "ml-dash-token": TOKEN}
    assert not package_tokens.forget_token("ry_another")
    assert not package_tokens.forget_token(None)
    assert package_tokens.forget_token(TOKEN)

    assert read(home) == {"other": "x"}
    assert (home / "encryption.key").read_bytes() == key


@pytest.mark.parametrize("damaged", ["encryption.key", "tokens.encrypted"])
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"x" * 44, Fernet.generate_key()],
    ids=["empty", "no text", "no key", "another key"],
)
def test_file_that_cannot_be_read_is_left_as_it_is(
    damaged: str, content: bytes, home: Path, server: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, {"other": "x"})
    (home / damaged).write_bytes(content)
    before = {path.name: path.read_bytes() for path in home.iterdir()}

    assert main(["login", server.url, "--token", TOKEN, "--ml-dash"]) == 2
    assert f"{home / 'tokens.encrypted'} cannot be read" in capsys.readouterr().err
    assert main(["logout", server.url]) == 0
    assert {name: (home / name).read_bytes() for name in before} == before
