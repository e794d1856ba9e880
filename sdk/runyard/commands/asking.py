"""What commands that ask a server have in common."""

import argparse
import os
from collections.abc import Callable

from runyard.api import Api
from runyard.commands.printing import explain_os, say
from runyard.errors import AccessRefused, TransportError

Work = Callable[[argparse.Namespace, Api], int]


def add_asking(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help_text: str,
    work: Work,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(work=lambda options: _ask(options, work))
    command.add_argument("--url", help="default: $RUNYARD_URL")
    return command


def add_json(command: argparse.ArgumentParser, help_text: str) -> None:
    command.add_argument("--json", action="store_true", help=help_text)


def add_query(command: argparse.ArgumentParser) -> None:
    command.add_argument("--query", default="", help="only runs that fit, as above the run table")


def add_metrics(command: argparse.ArgumentParser, help_text: str) -> None:
    command.add_argument("-m", "--metric", action="append", default=[], help=help_text)


def add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="PROJECT/RUN")


def _ask(options: argparse.Namespace, work: Work) -> int:
    """1 where the server gives no answer, or none to us, or has not what is asked for."""
    try:
        return work(options, Api(options.url))
    except TransportError as error:
        url = options.url or os.environ.get("RUNYARD_URL", "")
        say(
            f"runyard: {error}" if url in str(error) else f"runyard: {url} does not answer: {error}"
        )
        return 1
    except (AccessRefused, FileNotFoundError) as error:
        say(f"runyard: {explain_os(error)}")
        return 1


def split_name(text: str) -> tuple[str, str]:
    """PROJECT/RUN. Raises: ValueError."""
    project, _, run = text.partition("/")
    if not project or not run or "/" in run:
        raise ValueError(f"A run is named PROJECT/RUN, not {text!r}.")
    return project, run
