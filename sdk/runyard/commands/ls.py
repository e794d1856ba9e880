"""`runyard ls`: what projects there are, and what runs."""

import argparse
import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from runyard.api import Api, RunRecord
from runyard.commands.asking import add_asking, add_json, add_metrics, add_query
from runyard.commands.printing import (
    called,
    duration,
    local_time,
    number,
    print_json,
    print_table,
    say,
)
from runyard.nearness import near_to, no_such_metrics

FIELDS = (
    *("status", "name", "key", "folder", "tags", "tag", "user", "started", "ended", "duration"),
    *("notes", "source", "exit_code", "archived"),
)
STATS = ("last", "min", "max", "mean", "count", "last_step")  # of a metric


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "ls", "list the projects, or the runs of one", _list)
    command.add_argument("project", nargs="?")
    add_query(command)
    command.add_argument("--sort", default="", help="by a field, such as loss.min; -field turns it")
    command.add_argument("--limit", type=int, metavar="N", help="at most so many")
    add_metrics(command, "show its last value; repeatable")
    add_json(command, "all that is known, as JSON")


def _list(options: argparse.Namespace, api: Api) -> int:
    limit = math.inf if options.limit is None else options.limit
    if limit < 0:
        raise ValueError("--limit is a number from 0 on.")
    if options.project is None:
        return _list_projects(options, api, limit)
    found = list(api.each_run(options.project, options.query, sort=options.sort, limit=limit))
    if found:
        _check_sort(options.sort, found)
    if options.json:
        print_json([run.facts for run in found])
        return 0
    if not found:
        say(f"No runs {'fit' if options.query else 'are there'}.")
        return 0
    _print_runs(found, options.metric)
    for complaint in no_such_metrics(
        options.metric, {name for run in found for name in run.metrics}
    ):
        say(f"runyard: {complaint}")
    return 0


def _check_sort(sort: str, found: list[RunRecord]) -> None:
    """The server sorts by what is missing everywhere, too. Raises: ValueError."""
    name = sort.removeprefix("-")
    if not name or '"' in name or name in FIELDS:
        return
    known = set(FIELDS)
    for run in found:
        known.update(f"config.{key}" for key in run.facts["params"])
        known.update(f"summary.{key}" for key in run.facts["summary"])
        known.update(run.metrics)
    metric, _, stat = name.rpartition(".")
    if name not in known and not (metric in known and stat in STATS):
        raise ValueError(f"No run here has a field {name!r} to sort by.{near_to(name, known)}")


def _print_runs(runs: list[RunRecord], metrics: list[str]) -> None:
    """A column for names only where there are any beside those that addresses use."""
    names = [called(run) for run in runs]
    shown = ["NAME"] if any(names) else []
    heads = ("RUN", *shown, "STATUS", "STARTED", "DURATION", *metrics, "TAGS")
    rows = [
        (run.name, *([name] if shown else []), *_cells(run, metrics))
        for run, name in zip(runs, names, strict=True)
    ]
    print_table(heads, rows)


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
        changed = datetime.fromisoformat(str(one["updated_at"]).replace("Z", "+00:00"))
        when = local_time(changed.timestamp() * 1000)
        yield one["name"], str(one["run_count"]), when, ", ".join(one["tags"])


def _cells(run: RunRecord, metrics: list[str]) -> tuple[str, ...]:
    facts, values = run.facts, run.metrics
    started, ended = facts["start_time"], facts["finish_time"]
    took = duration((ended - started) / 1000) if ended is not None else "-"
    shown = (number(values[name]) if name in values else "-" for name in metrics)
    return run.status, local_time(started), took, *shown, ", ".join(run.tags)
