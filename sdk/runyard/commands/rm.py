"""`runyard rm`: delete runs on the server, whose trash may keep them for a while."""

import argparse
import sys

from runyard.api import Api
from runyard.commands.asking import add_asking, add_json, split_name
from runyard.commands.printing import print_json, say
from runyard.errors import AccessRefused


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = add_asking(commands, "rm", "delete runs with all their points, logs and files", _rm)
    command.add_argument("runs", nargs="+", metavar="PROJECT/RUN")
    command.add_argument("-y", "--yes", action="store_true", help="do not ask")
    add_json(command, "what became of each, as JSON")


def _rm(options: argparse.Namespace, api: Api) -> int:
    """Each by itself: one that is not there does not keep the others."""
    names = [split_name(name) for name in dict.fromkeys(options.runs)]
    if not options.yes and not _is_sure(len(names), api.url):
        return 1
    outcomes = {"/".join(name): _delete(api, *name) for name in names}
    if options.json:
        print_json({name: why or "deleted" for name, why in outcomes.items()})
    else:
        for name, why in outcomes.items():
            say(f"{name}: {why or 'deleted'}")
    return 1 if any(outcomes.values()) else 0


def _is_sure(count: int, url: str) -> bool:
    if not sys.stdin.isatty():
        raise ValueError("Nobody is there to be asked: say --yes to delete all the same.")
    what = "this run" if count == 1 else f"these {count} runs"
    say(f"Delete {what} on {url}? Only a trash there has a way back. [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _delete(api: Api, project: str, run: str) -> str:
    """Why not; "" for a run that is gone now."""
    try:
        api.delete_run(project, run)
    except (FileNotFoundError, AccessRefused, ValueError) as error:
        return str(error)
    return ""
