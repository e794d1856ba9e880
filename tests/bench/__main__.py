"""`make bench`: every figure beside its floor or rival, measured in the same run.

Usage: python -m tests.bench [--json] [NAME …], with names from the list below.
"""

import argparse
import os
import tempfile

NAMES = [
    "ingest",
    "postgres",
    "http",
    "charts",
    "storage",
    "sdk",
    "importing",
    "live",
    "watching",
    "watchers",
    "tables",
    "reading",
    "browser",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], default=[])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(
        prefix="runyard-bench-", dir=os.environ.get("BENCH_DIR")
    ) as folder:
        os.environ["RUNYARD_DATA_DIR"] = os.environ["RUNYARD_STATIC_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        run(options.names or NAMES, as_json=options.json)


def run(names: list[str], *, as_json: bool) -> None:
    from importlib import import_module

    import django
    from django.core.management import call_command

    from tests.bench.measure import show

    django.setup()
    call_command("migrate", verbosity=0)
    show(
        [figure for name in names for figure in import_module(f"tests.bench.{name}").figures()],
        as_json=as_json,
    )


if __name__ == "__main__":
    main()
