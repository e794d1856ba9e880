#!/usr/bin/env python
"""Runyard's command line: `python manage.py help` lists what it can do."""

import argparse
import os
import sqlite3
import sys


def main() -> None:
    # Settings are read once, at import: where the data lives, and who may come in, must be known
    # before that.
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--data-dir")
    early.add_argument("--access")
    given = early.parse_known_args()[0]
    if given.data_dir:
        os.environ["RUNYARD_DATA_DIR"] = given.data_dir
    if given.access:
        os.environ["RUNYARD_ACCESS"] = given.access
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 -- app ready
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- as above
    from django.db import DatabaseError  # noqa: PLC0415 -- as above

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except ImproperlyConfigured as error:  # its text says what to set, and to what
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))
    except (DatabaseError, sqlite3.Error) as error:  # away, full, or not a database at all
        if "--traceback" in sys.argv:
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        sys.exit(f"The database: {reason}. `manage.py check --tag services` may say more.")


if __name__ == "__main__":
    main()
