"""Environment variables, read strictly: what cannot be understood stops the start."""

import os
import secrets
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
# What jobs read, and the demo: they may share their environment with the server.
JOB_NAMES = {
    *("RUNYARD_DEMO_PORT", "RUNYARD_DIR", "RUNYARD_ENVIRONMENT", "RUNYARD_EXIT_DEADLINE"),
    *(
        "RUNYARD_INIT_TIMEOUT",
        "RUNYARD_KEEP_SENT",
        "RUNYARD_RANKS",
        "RUNYARD_RUN",
        "RUNYARD_TOKEN",
        "RUNYARD_URL",
    ),
}
NAMES = set(JOB_NAMES)  # and what was asked for: `tracking.checks` tells of what nobody reads
SECRETS: set[str] = set()  # what was found: `config.redaction` keeps it out of the log


def require_package(package: str, variable: str, extra: str) -> None:
    """Raises: ImproperlyConfigured, if `variable` is set and what it needs is not installed."""
    is_set = env_str(variable, "") or env_str(f"{variable}_FILE", "")
    if is_set and find_spec(package) is None:
        raise ImproperlyConfigured(
            f"{variable} needs the package {package}. `make setup` brings it; elsewhere, in the"
            f" checkout: pip install '.[{extra}]'"
        )


def env_str(name: str, default: str) -> str:
    NAMES.add(name)
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool) -> bool:
    text = env_str(name, str(default)).lower()
    if text not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={text!r} is neither yes nor no: use 1 or 0.")
    return text in TRUE


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    text = env_str(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name}={value} is below {minimum}.")
    return value


def env_list(name: str) -> list[str]:
    return [item for item in (part.strip() for part in env_str(name, "").split(",")) if item]


def env_choice(name: str, default: str, choices: set[str]) -> str:
    text = env_str(name, default)
    if text not in choices:
        raise ImproperlyConfigured(f"{name}={text!r} is not one of {', '.join(sorted(choices))}.")
    return text


def env_path(name: str, default: Path) -> Path:
    return Path(env_str(name, str(default))).expanduser().resolve()


def env_secret(name: str) -> str:
    """The secret in `name`, or in the file `name`_FILE; "" without either."""
    value, file = env_str(name, ""), env_str(f"{name}_FILE", "")
    if not value and file:
        value = _read(name, env_path(f"{name}_FILE", Path()))
    SECRETS.add(value)
    return value


def env_key(name: str, fallback: Path) -> str:
    """As `env_secret`; without either, it is made once and kept in `fallback`.

    Raises: ImproperlyConfigured, if that is nowhere to keep it: it lies in the data directory.
    """
    if value := env_secret(name):
        return value
    try:
        if not fallback.exists():
            fallback.parent.mkdir(parents=True, exist_ok=True)
            _write_once(fallback, secrets.token_urlsafe(50))
    except OSError as error:
        raise ImproperlyConfigured(
            f"RUNYARD_DATA_DIR={fallback.parent} cannot be written to: {error.strerror}. Let the"
            " user that runs the server write there, or name another folder."
        ) from None
    value = _read(name, fallback)
    SECRETS.add(value)
    return value


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name} cannot be read from {path}: {error}") from None


def _write_once(path: Path, text: str) -> None:
    """Link a finished file into place: of two processes that start at once, one secret wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # the other process was first, and its secret is the one to use
    finally:
        draft.unlink()
