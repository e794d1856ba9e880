"""The command `aspara`: a server for the runs of this machine, and lists of them."""

import argparse
import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from runyard import __version__, serving
from runyard.aspara_store.layout import data_dir, find_projects, find_runs
from runyard.aspara_store.reading import StoredRun
from runyard.commands.printing import explain_os, print_json, print_table, say, while_read

DASHBOARD_PORT, TRACKER_PORT = 3141, 3142
LAST_PORT = 65_535
COMPONENTS = {"dashboard": {"dashboard"}, "tracker": {"tracker"}}
COMPONENTS["together"] = {"dashboard", "tracker"}
SILENT_S = 3600.0  # a run of the original, which shows no sign of life, may have died after that
IN_USE = (
    "A server uses {} already. It is the dashboard and takes what trackers take: give its address to"
    " your jobs as well, or stop it first. Both at once: aspara serve dashboard tracker"
)


class Misuse(ValueError):
    """Of the arguments."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 if all is well, 1 for what cannot be done, 2 for misuse."""
    options = _parser().parse_args(arguments)
    try:
        return while_read(lambda: int(options.work(options)))
    except (OSError, ValueError, serving.NoServerHere) as error:
        say(f"Error: {explain_os(error) if isinstance(error, OSError) else error}")
        return 2 if isinstance(error, Misuse) else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aspara", description="Runs of this machine, and a server."
    )
    parser.add_argument("--version", action="version", version=f"aspara {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    dashboard = _add_server(commands, "dashboard", "show the runs below the data directory, live")
    dashboard.add_argument(
        "--with-tracker", action="store_true", help="it is there anyway, below /tracker"
    )
    _add_search_mode(dashboard)
    _add_backend(_add_server(commands, "tracker", "take the metrics of jobs elsewhere"))
    serve = _add_server(commands, "serve", "both, or one of them")
    serve.add_argument(
        "components", nargs="*", metavar="COMPONENT", help=f"{', '.join(COMPONENTS)} (dashboard)"
    )
    _add_search_mode(serve)
    _add_backend(serve)
    for name, help_text, work in (
        ("projects", "list the projects below the data directory", _list_projects),
        ("runs", "list the runs of a project there", _list_runs),
    ):
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.set_defaults(work=work)
        command.add_argument("--json", action="store_true", help="for scripts; times in UNIX ms")
        _add_data_dir(command)
    commands.choices["runs"].add_argument("project")
    return parser


def _add_server(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text)
    chosen = [] if name == "serve" else [name]
    command.set_defaults(work=_serve, components=chosen, storage_backend=None)
    command.add_argument("--host", default="127.0.0.1", help="(127.0.0.1)")
    port = TRACKER_PORT if name == "tracker" else DASHBOARD_PORT
    command.add_argument("--port", type=int, help=f"({port})")
    command.add_argument(
        "--dev", action="store_true", help="errors with details, files as they are"
    )
    _add_data_dir(command)
    return command


def _add_data_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data-dir", help="default: $ASPARA_DATA_DIR or ~/.local/share/aspara")


def _add_search_mode(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        *("--project-search-mode",),
        choices=("realtime", "manual"),
        help="taken for compatibility: the search does both, as you type and on Enter",
    )


def _add_backend(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        *("--storage-backend",),
        choices=("jsonl", "polars"),
        help="taken for compatibility: what arrives is kept in the server's database",
    )


# ── The server ───────────────────────────────────────────────────────────────


def _serve(options: argparse.Namespace) -> NoReturn:
    components = _components(options.components)
    port = options.port or (DASHBOARD_PORT if "dashboard" in components else TRACKER_PORT)
    if not 0 < port <= LAST_PORT:
        raise Misuse(f"{port} is no port: there are 1 to {LAST_PORT}.")
    root = _writable(_root(options), is_chosen=bool(options.data_dir))
    home = root / ".runyard"  # hidden: it is no project
    if serving.is_in_use(home):
        raise ValueError(IN_USE.format(root))
    if options.storage_backend:
        say(f"Note: --storage-backend is without effect here: the database is {home}.")
    watched = ["--watch", str(root)] if "dashboard" in components else []
    serving.become_server(
        ["--host", options.host, "--port", str(port), *watched],
        {"RUNYARD_DATA_DIR": str(home)} | ({"RUNYARD_DEBUG": "1"} if options.dev else {}),
    )


def _components(names: list[str]) -> set[str]:
    chosen: set[str] = set()
    for name in names or ["dashboard"]:
        if name not in COMPONENTS:
            raise Misuse(f"Invalid component: {name}. There are {', '.join(COMPONENTS)}.")
        chosen |= COMPONENTS[name]
    return chosen


def _root(options: argparse.Namespace) -> Path:
    root = data_dir(options.data_dir)
    if root.exists() and not root.is_dir():
        raise Misuse(f"{root} is no directory: choose another with --data-dir.")
    return root


def _writable(root: Path, *, is_chosen: bool) -> Path:
    """Where it was mistyped one wants to know, rather than find an empty dashboard."""
    if is_chosen and not root.parent.is_dir():
        raise ValueError(f"{root.parent} is not there, so it has no place for {root.name}.")
    root.mkdir(parents=True, exist_ok=True)
    if not os.access(root, os.W_OK | os.X_OK):
        raise ValueError(f"{root} cannot be written to: choose another with --data-dir.")
    return root


# ── Lists ────────────────────────────────────────────────────────────────────


def _list_projects(options: argparse.Namespace) -> int:
    root = _root(options)
    rows: list[tuple[str, int, float]] = []
    for project in find_projects(root) if root.is_dir() else ():
        runs = [StoredRun(paths) for paths in find_runs(root, project)]
        latest = max((run.changed_at for run in runs), default=(root / project).stat().st_mtime)
        rows.append((project, len(runs), latest))
    if options.json:
        print_json(
            [
                {"name": name, "run_count": count, "last_update": round(latest * 1000)}
                for name, count, latest in rows
            ]
        )
        return 0
    if not rows:
        say(f"There are no projects in {root}.")
        return 0
    shown = [(name, str(count), _local(latest)) for name, count, latest in rows]
    print_table(("PROJECT", "RUNS", "LAST UPDATED"), shown)
    return 0


def _list_runs(options: argparse.Namespace) -> int:
    root = _root(options)
    if options.project not in (find_projects(root) if root.is_dir() else ()):
        raise ValueError(f"There is no project {options.project!r} in {root}.")
    runs = [StoredRun(paths) for paths in find_runs(root, options.project)]
    if options.json:
        print_json([_facts(run) for run in runs])
        return 0
    rows = [(run.paths.name, _status(run), _started(run)) for run in runs]
    if not rows:
        say(f"There are no runs in project {options.project}.")
        return 0
    print_table(("RUN", "STATUS", "STARTED"), rows)
    return 0


def _facts(run: StoredRun) -> dict[str, Any]:
    """In the words of the run's own file."""
    about = run.about
    return {
        "name": run.paths.name,
        "run_id": about.run_id,
        "status": _status(run),
        "exit_code": about.exit_code,
        "reason": about.reason,
        "start_time": _ms(about.started_us),
        "finish_time": _ms(about.finished_us),
        "last_update": round(run.changed_at * 1000),
        "tags": list(about.tags),
        "notes": about.notes,
        "config": about.config,
        "summary": about.summary,
    }


def _ms(time_us: int | None) -> int | None:
    return None if time_us is None else time_us // 1000


def _status(run: StoredRun) -> str:
    """A process of the original gives no sign of life: only a long silence tells of its end."""
    if run.about.status:
        return run.about.status
    is_alive = run.is_alive or time.time() - run.changed_at < SILENT_S
    return "wip" if is_alive else "maybe_failed"


def _started(run: StoredRun) -> str:
    return _local(run.about.started_us / 1e6) if run.about.started_us else "-"


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
