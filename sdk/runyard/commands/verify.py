"""`runyard verify`: whether the server has all that was logged, as far as this machine can tell."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from runyard import config
from runyard.api import Api, RunRecord
from runyard.commands.asking import add_asking, add_json, add_run, split_name
from runyard.commands.held import Held, Point, bits_of, find_spools, is_alive, read_held
from runyard.commands.printing import counted, plain, print_json, write
from runyard.series import SeriesReader

HELP = "compare what this machine holds of a run with what the server has"

LEFT = {"thinned": "thinned series", "summary": "only summaries"}


class Finding(NamedTuple):
    """A line of the report. `is_well` is False for what is missing, wrong or still on its way."""

    name: str
    text: str
    is_well: bool


def well(name: str, text: str) -> Finding:
    return Finding(name, text, is_well=True)


def amiss(name: str, text: str) -> Finding:
    return Finding(name, text, is_well=False)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "verify", HELP, _verify)
    add_run(command)
    command.add_argument("--dir", type=Path, help="default: $RUNYARD_DIR or the user's own")
    add_json(command, "the findings, as JSON")


def _verify(options: argparse.Namespace, api: Api) -> int:
    project, name = split_name(options.run)
    spools = list(find_spools(config.data_dir(options.dir), project, name))
    run = api.run(project, name)  # after the spools: what has been sent meanwhile is there
    producers = {one["uuid"]: one for one in run.producers()}
    findings = list(_judge_producers(producers.values()))
    for path, meta in spools:
        try:
            held = read_held(path, meta, producers.get(meta.producer, {}).get("last_seq", 0))
        except FileNotFoundError:
            continue  # all of it has arrived meanwhile
        findings += _judge_here(held, producers.get(meta.producer, {}), is_alive=is_alive(path))
        findings += [*_judge_points(held, run), *_judge_files(held, run)]
    if not spools:
        findings.append(well("here", "this machine holds nothing of it any more"))
    _tell(findings, as_json=options.json)
    return 0 if all(finding.is_well for finding in findings) else 1


def _tell(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        is_well = all(finding.is_well for finding in findings)
        print_json({"ok": is_well, "findings": [finding._asdict() for finding in findings]})
        return
    for name, text, is_well in findings:
        write(f"{'ok' if is_well else '!!'}  {name:<8} {plain(text)}")


# ── What the server says ─────────────────────────────────────────────────────


def _judge_producers(producers: Any) -> Iterator[Finding]:
    found = list(producers)
    if not found:
        yield well("records", "it was not logged through the SDK: there are none to count")
        return
    stored = sum(one["last_seq"] for one in found)
    logged = sum(max(one["last_seq"], one["logged_seq"]) for one in found)
    processes = f"{len(found)} process{'' if len(found) == 1 else 'es'}"
    text = f"{stored:,} of {logged:,} that {processes} had logged are on the server"
    yield Finding("records", text, is_well=stored == logged)
    gaps = [gap for one in found for gap in one["gaps"]]
    if not gaps:
        yield well("gaps", "none was dropped")
    for gap in gaps:
        count = gap.get("count", 1)
        yield amiss("gaps", f"{count:,} dropped by the job: {gap.get('reason', '')}")


# ── What this machine holds ──────────────────────────────────────────────────


def _judge_here(held: Held, producer: dict[str, Any], *, is_alive: bool) -> Iterator[Finding]:
    stored_seq = producer.get("last_seq", 0)
    waiting = max(0, held.last_seq - stored_seq)
    text = f"records {held.first_seq:,} to {held.last_seq:,} of process {held.producer[:8]}"
    why = "on their way" if is_alive else "not on the server: runyard sync"
    left = f", {waiting:,} of them {why}" if waiting else ", all sent"
    yield Finding("here", text + left, is_well=not waiting)
    if stored_seq > held.last_seq:
        lost = f"the server has {stored_seq:,}: the end of the file here is lost"
        yield amiss("here", lost)
    if held.damaged_count:
        yield amiss("here", f"{counted(held.damaged_count, 'record')} cannot be read any more")
    if held.dead_letter_count:
        yield amiss("refused", f"{held.dead_letter_count:,} by the server: dead-letter/")


def _judge_points(held: Held, run: RunRecord) -> Iterator[Finding]:
    """Each point that was sent must be there bit by bit, unless the project's rules let some go."""
    missing = _missing_points(held, run)
    total = sum(points.total() for points in held.points.values())
    if total and not missing:
        yield well("points", f"{total:,} that are still here are the same on the server")
    if missing and run.resolution != "full":
        kept = total - sum(missing.values())
        why = f"the project's rules have left it {LEFT[run.resolution]}"
        yield well("points", f"{kept:,} of {total:,} that are still here are on the server: {why}")
        return
    for name, count in missing.items():
        yield amiss("points", f"{count:,} of {name} are not on the server as logged")


def _missing_points(held: Held, run: RunRecord) -> dict[str, int]:
    if not held.points:
        return {}
    steps = [point.step for points in held.points.values() for point in points]
    reader = SeriesReader(run.remote, run.project, None)
    missing = {name: Counter(points) for name, points in held.points.items()}
    span = (min(steps), max(steps))
    for portion in reader.read({run.name: list(missing)}, list(missing), span):
        for name, by_run in portion.items():
            for step, value, time_ms in zip(*by_run[run.name], strict=True):
                missing[name][Point(step, bits_of(value), time_ms)] -= 1
    left = {name: (+points).total() for name, points in missing.items()}
    return {name: count for name, count in left.items() if count}


def _judge_files(held: Held, run: RunRecord) -> Iterator[Finding]:
    stored = {one["original_path"]: one["sha256"] for one in run.facts["artifacts"]}
    wrong = [
        name
        for name, checksum in held.files.items()
        if name not in stored or (checksum and checksum != stored[name])
    ]
    if held.files and not wrong:
        yield well("files", f"{len(held.files):,} {'is' if len(held.files) == 1 else 'are'} there")
    for name in wrong:
        why = "is another one" if name in stored else "is not there"
        yield amiss("files", f"{name} {why} on the server")
