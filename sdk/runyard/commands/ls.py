"""`runyard ls`: what projects there are, and what runs."""

import argparse
import math
from collections.abc import Iterator
from typing import Any

from runyard.api import Api, RunRecord
from runyard.commands.asking import add_asking
from runyard.commands.printing import (
    duration,
    local_time,
    number,
    print_json,
    print_table,
    say,
    status_word,
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "ls", "list the projects, or the runs of one", _list)
    command.add_argument("project", nargs="?")
    command.add_argument("--query", default="", help="only runs that fit, as above the run table")
    command.add_argument("--sort", default="", help="by a field, such as loss.min; -field turns it")
    command.add_argument("--limit", type=int, metavar="N", help="at most so many")
    command.add_argument(
        *("-m", "--metric"), action="append", default=[], help="show its last value; repeatable"
    )
    command.add_argument("--json", action="store_true", help="all that is known, as JSON")


def _list(options: argparse.Namespace, api: Api) -> int:
    limit = math.inf if options.limit is None else options.limit
    if limit < 0:
        raise ValueError("--limit is a number from 0 on.")
    if options.project is None:
        return _list_projects(options, api, limit)
    runs = api.each_run(options.project, options.query, sort=options.sort, limit=limit)
    if options.json:
        print_json([run.facts for run in runs])
        return 0
    rows = [_row(run, options.metric) for run in runs]
    if not rows:
        say(f"No runs {'fit' if options.query else 'are there'}.")
        return 0
    print_table(("RUN", "STATUS", "STARTED", "DURATION", *options.metric, "TAGS"), rows)
    return 0


def _list_projects(options: argparse.Namespace, api: Api, limit: float) -> int:
    if options.query or options.sort or options.metric:
        raise ValueError("--query, --sort and --metric are for the runs of a project: name one.")
    projects = api.projects()
    projects = projects if limit == math.inf else projects[: int(limit)]
    if options.json:
        print_json(projects)
        return 0
    if not projects:
        say("There are no projects.")
        return 0
    print_table(("PROJECT", "RUNS", "CHANGED", "TAGS"), list(_project_rows(projects)))
    return 0


def _project_rows(projects: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for one in projects:
        changed = str(one["updated_at"])[:16].replace("T", " ")
        yield one["name"], str(one["run_count"]), f"{changed}Z", ", ".join(one["tags"])


def _row(run: RunRecord, metrics: list[str]) -> tuple[str, ...]:
    facts, values = run.facts, run.metrics
    started, ended = facts["start_time"], facts["finish_time"]
    took = duration((ended - started) / 1000) if ended is not None else "-"
    shown = (number(values[name]) if name in values else "-" for name in metrics)
    return run.name, status_word(run.status), local_time(started), took, *shown, ", ".join(run.tags)
