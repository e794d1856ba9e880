"""`make chaos`: kill servers and jobs in every way there is, and count every point.

Usage: python -m tests.chaos [--seed N] [--short|--long] [--json] [--services] [NAME …], with names from
the lists below. Exits with 1 if one of the counts is not 0.
"""

import argparse
import secrets
import sys
import tempfile
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from random import Random
from typing import cast

from tests.chaos.findings import Finding, commit, show
from tests.chaos.stage import Stage
from tests.e2e.live import LiveServer, live_server

NAMES = ["ingest", "delivery", "cuts", "silence", "endings", "uploads"]
SERVICES = ["postgres", "redis", "disk", "crowd"]  # they bring their own servers and services


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*NAMES, *SERVICES, []], default=[], metavar="NAME"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_true", help="a minute; the default")
    form.add_argument("--long", action="store_true", help="about fifteen minutes")
    parser.add_argument("--services", action="store_true", help="those with real services too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    form_name = "long" if options.long else "short"
    head = {"seed": options.seed, "form": form_name, "commit": commit()}  # as it is now
    findings = []
    for name in options.names or NAMES + SERVICES * options.services:
        with live_server() if name in NAMES else nullcontext() as server:
            findings.append(run(name, server, seed=options.seed, is_long=options.long))
    show(findings, head, as_json=options.json)
    return 0 if all(one.is_clean for one in findings) else 1


def run(name: str, server: LiveServer | None, *, seed: int, is_long: bool = False) -> Finding:
    """One test, on a server that may serve others later."""
    with tempfile.TemporaryDirectory(prefix=f"runyard-chaos-{name}-") as folder:
        stage = Stage(cast("LiveServer", server), Path(folder), Random(f"{seed} {name}"), is_long)
        finding: Finding = import_module(f"tests.chaos.{name}").run(stage)
        return finding


if __name__ == "__main__":
    sys.exit(main())
