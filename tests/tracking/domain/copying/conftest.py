import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connections, transaction

from tests.factories import log_points, make_batch, make_run, start_event, take_in
from tracking.domain.artifacts import store_artifact
from tracking.domain.batch import Event
from tracking.domain.copying import stores
from tracking.models import Run

COPY = "there"


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    """Where the files of artifacts lie."""
    settings.MEDIA_ROOT = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture(autouse=True)
def _may_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's databases are those it began with; others it must have opened by hand."""
    open_store = stores.open_store

    def open_at_once(alias: str, database: dict[str, Any]) -> None:
        open_store(alias, database)
        connections[alias].connect()

    monkeypatch.setattr(stores, "open_store", open_at_once)


@pytest.fixture(scope="session")
def migrated(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database that is migrated and empty; made once, for it takes its time."""
    path = tmp_path_factory.mktemp("migrated") / stores.DATABASE_FILE
    with django_db_blocker.unblock():
        stores.open_store(COPY, stores.describe_sqlite(path))
        call_command("migrate", database=COPY, verbosity=0, interactive=False)
        stores.close_store(COPY)
    return path


@pytest.fixture
def there(transactional_db: None, migrated: Path, tmp_path: Path) -> Iterator[str]:
    """The alias of an empty database."""
    shutil.copyfile(migrated, tmp_path / "there.sqlite3")
    stores.open_store(COPY, stores.describe_sqlite(tmp_path / "there.sqlite3"))
    yield COPY
    stores.close_store(COPY)


@pytest.fixture
def run(transactional_db: None) -> Run:
    """With all that a run may have, and one in the trash."""
    logged = make_run(config={"lr": 0.1, "big": 12345678901234567890, "huge": 1e300, "none": None})
    log_points(logged, {"loss": [3.0, math.nan, -1e300], "acc": [math.inf]})
    log_points(logged, {"loss": [0.5]}, first_step=3)
    store_artifact(logged, ContentFile(b"weights"), name="model.bin")
    line = Event(2, "log", {"level": "info", "message": "gr\u00fc\u00dfe"})
    row = Event(3, "row", {"stream": "s", "fields": {"x": 1}})
    take_in(make_batch(1, 3, events=(*start_event(), line, row), run_key="run-2"))
    gone = make_run("run-3")
    with transaction.atomic():
        Run.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    return logged


@pytest.fixture
def told() -> Callable[[object], None]:
    return lambda progress: None
