"""What `manage.py check` and `serve` say about settings that cannot be meant so.

Those that need a connection run with `check --tag services`, and before `serve` starts.
"""

import difflib
import errno
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import connection

Messages = list[checks.CheckMessage]
CONNECT_S = 3
FULL = {errno.ENOSPC, errno.EDQUOT}
SHORTEST_KEY = 32
BRACKETED = re.compile(r"\[[0-9a-fA-F:.]+\]")  # IPv6
OLDEST_POSTGRES = 140_000  # as `server_version`; Django asks for it too
SHARED_KEY_HINT = (
    "Give all processes one and the same, by RUNYARD_SECRET_KEY or RUNYARD_SECRET_KEY_FILE: a session"
    " of one is nothing to another that signs with a key of its own."
)


@checks.register("settings")
def check_names(**_: object) -> Messages:
    """A variable that nobody reads is most likely a slip of the pen."""
    names = {name for name in os.environ if name.startswith("RUNYARD_")}
    found: Messages = []
    for name in sorted(names - settings.VARIABLES):
        near = difflib.get_close_matches(name, settings.VARIABLES, n=1, cutoff=0.75)
        hint = (
            f"Did you mean {near[0]}?" if near else "docs/configuration.md lists those there are."
        )
        found.append(
            checks.Warning(f"Nobody reads the variable {name}.", hint=hint, id="runyard.W001")
        )
    return found


@checks.register("settings")
def check_key(**_: object) -> Messages:
    """Several processes are likely where the database is one that they can share."""
    kept = settings.DATA_DIR / "secret_key"
    if not settings.HAS_COMPANY or not kept.is_file():
        return []
    if kept.read_text().strip() != settings.SECRET_KEY:
        return []
    text = f"The secret key is one that was made for this machine, in {kept}."
    return [checks.Warning(text, hint=SHARED_KEY_HINT, id="runyard.W002")]


@checks.register("settings")
def check_data_dir(**_: object) -> Messages:
    folder = settings.DATA_DIR
    nearest = next(each for each in (folder, *folder.parents) if _is_there(each))
    if _is_writable(nearest):
        return []
    text = f"RUNYARD_DATA_DIR={folder} cannot be written to."
    hint = f"Let the user that runs the server write to {nearest}, or name another folder."
    return [checks.Error(text, hint=hint, id="runyard.E003")]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # of a folder above it, which is the one to tell of
        return False


def _is_writable(folder: Path) -> bool:
    """Tried: what the permissions say is not so in /proc, nor on a disk that is read only."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return error.errno in FULL  # there are commands that make room


@checks.register("settings")
def check_access(**_: object) -> Messages:
    if settings.ACCESS != "open" or not settings.TRUSTED_PROXIES:
        return []
    text = "Behind a proxy, whoever reaches the proxy may read, write and delete everything."
    hint = "Have people sign in: RUNYARD_ACCESS=login. Or let the proxy ask who they are."
    return [checks.Warning(text, hint=hint, id="runyard.W004")]


@checks.register("settings")
def check_hosts(**_: object) -> Messages:
    if settings.ACCESS != "login" or not settings.TRUSTED_PROXIES:
        return []
    return tell_hosts()


@checks.register("settings")
def check_host_names(**_: object) -> Messages:
    """What is an address, or has a port, is like no host that a request names."""
    found: Messages = []
    for host in settings.ALLOWED_HOSTS:
        if not re.search(r"[/@]", host) and (":" not in host or BRACKETED.fullmatch(host)):
            continue
        text = f"RUNYARD_ALLOWED_HOSTS: {host!r} is no name of a host."
        hint = f"The name alone, without https:// and without a port: {_name_in(host)}"
        found.append(checks.Error(text, hint=hint, id="runyard.E006"))
    return found


def _name_in(host: str) -> str:
    """What was most likely meant."""
    address = host if host.count(":") < 2 or "/" in host or "[" in host else f"[{host}]"
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        name = None
    if not name:
        return "runs.example.org"
    return f"[{name}]" if ":" in name else name


@checks.register("settings")
def check_key_length(**_: object) -> Messages:
    if len(settings.SECRET_KEY) >= SHORTEST_KEY:
        return []
    text = f"RUNYARD_SECRET_KEY has fewer than {SHORTEST_KEY} characters: sessions can be forged."
    hint = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))" makes a good one.'
    return [checks.Warning(text, hint=hint, id="runyard.W007")]


def tell_hosts() -> Messages:
    """For a server that others are to reach."""
    if len(settings.ALLOWED_HOSTS) > len(settings.LOOPBACK_HOSTS):
        return []
    text = "Requests for another host than localhost are refused."
    hint = "Name in RUNYARD_ALLOWED_HOSTS what people will type: runs.example.org,10.0.0.5"
    return [checks.Warning(text, hint=hint, id="runyard.W005")]


@checks.register("services", checks.Tags.database)
def check_database(*, databases: Sequence[str] | None = None, **_: object) -> Messages:
    if not databases or connection.vendor != "postgresql":
        return []
    from psycopg import Error  # noqa: PLC0415 -- optional dependency

    try:
        return _check_postgres()
    except Error as error:
        text = f"The database of DATABASE_URL does not let the server in: {_first_line(error)}"
        hint = "See that PostgreSQL listens there, and try the same address with psql."
        return [checks.Error(text, hint=hint, id="runyard.E010")]


def _check_postgres() -> Messages:
    """Past the pool, which tries for a while and does not say what is wrong."""
    from psycopg import connect  # noqa: PLC0415 -- optional dependency

    named = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "service")
    params = connection.get_connection_params()
    given = {name: params[name] for name in named if name in params}
    with connect(**given, connect_timeout=CONNECT_S) as bare:
        version, encoding, most = bare.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
            " current_setting('max_connections')::int"
        ).fetchone()  # type: ignore[misc]  # one row, always
    found: Messages = []
    if version < OLDEST_POSTGRES:
        text = f"PostgreSQL {version // 10_000} is too old."
        found.append(checks.Error(text, hint="14 or newer will do.", id="runyard.E011"))
    if encoding != "UTF8":
        text = f"The database's encoding is {encoding}: names in other letters cannot be stored."
        hint = "createdb --encoding=UTF8 --template=template0 name"
        found.append(checks.Error(text, hint=hint, id="runyard.E012"))
    pool = settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"]
    return found + tell_connections(most, pool)


def tell_connections(most: int, pool: int) -> Messages:
    """`most`: what PostgreSQL lets in from all processes together; three are for its superuser."""
    if most - 3 >= pool:
        return []
    text = f"PostgreSQL lets in {most} connections, and each process may want {pool}."
    hint = f"Set its max_connections to {pool} for each process and some more, such as 100."
    return [checks.Warning(text, hint=hint, id="runyard.W013")]


@checks.register("services", checks.Tags.database)
def check_redis(*, databases: Sequence[str] | None = None, **_: object) -> Messages:
    """The server works without it: live streams are a second late, and each process counts alone."""
    if not databases or not settings.REDIS_URL:
        return []
    from redis.exceptions import RedisError  # noqa: PLC0415 -- app ready

    from tracking.domain.redis_link import connect  # noqa: PLC0415 -- app ready

    try:
        connect().ping()
    except RedisError as error:
        text = f"The Redis of REDIS_URL does not answer: {type(error).__name__}"
        hint = "The server goes on without it. Try the same address with redis-cli -u."
        return [checks.Warning(text, hint=hint, id="runyard.W014")]
    return []


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
