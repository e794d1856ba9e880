"""`runyard show`: all that is known of a run."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from runyard.api import Api, RunRecord
from runyard.commands.asking import add_asking, add_json, add_run, split_name
from runyard.commands.printing import (
    called,
    duration,
    local_time,
    number,
    plain,
    print_json,
    size,
    write,
)

KEPT = {
    "thinned": "thinned: at most 1,000 of each series are kept",
    "summary": "only summaries are kept",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "show", "tell what is known of a run", _show)
    add_run(command)
    add_json(command, "as JSON")


def _show(options: argparse.Namespace, api: Api) -> int:
    run = api.run(*split_name(options.run))
    if options.json:
        print_json(run.facts)
        return 0
    for line in _lines(run):
        write(line)
    return 0


def _lines(run: RunRecord) -> Iterator[str]:
    facts = run.facts
    yield f"{plain(run.project)}/{plain(run.name)}"
    yield from _section("", _head(run))
    if run.notes:
        yield "\nNotes"
        yield from (f"  {plain(line)}" for line in run.notes.splitlines())
    yield from _section("Config", {name: _text(facts["params"][name]) for name in facts["params"]})
    yield from _section("Summary", {name: _text(value) for name, value in run.summary.items()})
    yield from _section("Metrics", {name: number(value) for name, value in run.metrics.items()})
    files = {one["original_path"]: size(one["file_size"]) for one in facts["artifacts"]}
    yield from _section("Files", files)


def _head(run: RunRecord) -> dict[str, str]:
    facts = run.facts
    started, ended = facts["start_time"], facts["finish_time"]
    exit_code = facts["exit_code"]
    code = f", exit code {exit_code}" if exit_code is not None else ""
    head = {"called": name} if (name := called(run)) else {}
    head["status"] = f"{run.status}{code}"
    if run.resolution != "full":
        head["points"] = KEPT[run.resolution]
    if facts["finish_reason"]:
        head["reason"] = facts["finish_reason"]
    head["started"] = local_time(started)
    if ended is not None:
        head["ended"] = f"{local_time(ended)}, after {duration((ended - started) / 1000)}"
    if run.tags:
        head["tags"] = ", ".join(run.tags)
    return head


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    if not rows:
        return
    if title:
        yield f"\n{title}"
    width = max(len(plain(name)) for name in rows)
    yield from (f"  {plain(name):<{width}}  {plain(value)}" for name, value in rows.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
