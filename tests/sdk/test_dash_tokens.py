import stat
import sys
from pathlib import Path

import pytest
from runyard import config, dash_tokens, tokens
from runyard.cli import main
from runyard.notices import Once

from tests.sdk.door import Answer, Door

TOKEN = "ry_" + "0123456789abcdef" * 4
SERVER, OTHER = "https://runs.example.org", "https://else.example.org"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dash_tokens, "_notices", Once())
    return tmp_path / "home" / ".dash"


def test_token_is_encrypted_for_its_user_and_its_server_alone(home: Path) -> None:
    path = dash_tokens.store_token(SERVER, TOKEN)

    assert path == home / "token.enc"
    assert TOKEN.encode() not in path.read_bytes()
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {
        "token.enc": 0o600,
        "token.key": 0o600,
    }
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [config.token_for(one) for one in (SERVER, OTHER)] == [TOKEN, None]


def test_newer_token_takes_the_place_of_the_older(home: Path) -> None:
    dash_tokens.store_token("http://localhost:1", "ry_old")
    dash_tokens.store_token(OTHER, "ry_other")
    key = (home / "token.key").read_bytes()
    dash_tokens.store_token("http://127.0.0.1:1", TOKEN)

    assert dash_tokens.stored_token("http://localhost:1") == TOKEN
    assert dash_tokens.stored_token(OTHER) == "ry_other"
    assert (home / "token.key").read_bytes() == key
    assert dash_tokens.forget_token("http://[::1]:1")
    assert not dash_tokens.forget_token("http://[::1]:1")
    assert dash_tokens.stored_token("http://localhost:1") is None


def test_others_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    dash_tokens.store_token(SERVER, "ry_dash")
    tokens.store_token(SERVER, "ry_own")
    assert config.token_for(SERVER) == "ry_own"

    monkeypatch.setenv("RUNYARD_TOKEN", "ry_environment")
    assert config.token_for(SERVER) == "ry_environment"


@pytest.mark.parametrize("damaged", ["token.enc", "token.key"])
@pytest.mark.parametrize("content", [b"", b"\xff", b"x" * 44])
def test_damaged_file_is_told_once_and_made_anew(
    damaged: str, content: bytes, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dash_tokens.store_token(SERVER, TOKEN)
    (home / damaged).write_bytes(content)

    assert [config.token_for(SERVER) for _ in range(2)] == [None, None]
    assert len(caplog.records) == 1
    assert "token.enc cannot be read" in caplog.text
    dash_tokens.store_token(SERVER, TOKEN)
    assert config.token_for(SERVER) == TOKEN


def test_without_the_extra_the_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert config.token_for(SERVER) is None
    dash_tokens.store_token(SERVER, TOKEN)
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)

    assert config.token_for(SERVER) is None
    assert "without cryptography: pip install 'runyard[login]'" in caplog.text


@pytest.fixture
def server(door: Door) -> Door:
    words, headers = {"username": "alice"}, {"Runyard-Token-Scope": "write"}
    door.fault = lambda path: Answer(200, words, headers) if path == "/auth/me" else Answer(405)
    return door


@pytest.mark.parametrize("option", [[], ["--ml-dash"]])
def test_login_keeps_it_for_ml_dash_and_logout_forgets_it(
    option: list[str], server: Door, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main(["login", server.url, "--token", TOKEN, *option]) == 0
    assert f"For ML-Dash it is in {home / 'token.enc'}, encrypted." in capsys.readouterr().err
    assert dash_tokens.stored_token(server.url) == TOKEN

    assert main(["logout", server.url]) == 0
    assert dash_tokens.stored_token(server.url) is None
    assert config.token_for(server.url) is None


def test_login_without_the_extra_says_what_is_missing_only_where_it_is_wanted(
    server: Door, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(dash_tokens, "is_available", lambda: False)

    assert main(["login", server.url, "--token", TOKEN, "--ml-dash"]) == 1
    assert "pip install 'runyard[login]'" in capsys.readouterr().err
    assert tokens.stored_token(server.url) is None
    assert main(["login", server.url, "--token", TOKEN]) == 0
    assert tokens.stored_token(server.url) == TOKEN
    assert not home.exists()


def test_doctor_says_where_the_token_is_and_who_else_can_read_its_key(
    server: Door, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    dash_tokens.store_token(server.url, TOKEN)
    main(["doctor", "--url", server.url])
    assert f"is sent, from {home / 'token.enc'}" in capsys.readouterr().err

    (home / "token.key").chmod(0o644)
    assert main(["doctor", "--url", server.url]) == 1
    assert f"others can read {home / 'token.key'}; run: chmod 600" in capsys.readouterr().err
