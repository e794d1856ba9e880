"""What is so on one database only."""

import pytest
from django.conf import settings

IS_SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
sqlite_only = pytest.mark.skipif(not IS_SQLITE, reason="is about SQLite")
postgres_only = pytest.mark.skipif(IS_SQLITE, reason="is about PostgreSQL")
