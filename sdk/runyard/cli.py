"""The command `runyard`: bring home what jobs left on this machine, and see whether all is well."""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from runyard import __version__, config, doctor, import_command, login, orphans
from runyard.commands import export, ls, rm, show, verify
from runyard.commands.printing import counted, explain_os, while_read
from runyard.credentials import Credentials
from runyard.errors import NoServer
from runyard.kept import kept_paths, remove_kept
from runyard.passwords import Login
from runyard.sender import Sender
from runyard.spool import Spool
from runyard.transport import Address, HttpTransport, parse_address
from runyard.watching import command as watch

WATCH_S = 10.0
ASK_AGAIN_S = 600.0  # between questions after what has arrived


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 if all is well, 1 if something is left to do, 2 for misuse."""
    options = _parser().parse_args(_with_sorts(sys.argv[1:] if arguments is None else arguments))
    try:
        return while_read(lambda: _run(options))
    except NoServer:
        option = "" if options.command in {"login", "logout"} else "--url "
        _say(f"runyard: Which server? Pass {option}http://host:port or set RUNYARD_URL.")
        return 2
    except (OSError, ValueError) as error:
        _say(f"runyard: {explain_os(error) if isinstance(error, OSError) else error}")
        return 2
    except KeyboardInterrupt:
        return 130


def _with_sorts(arguments: Sequence[str]) -> list[str]:
    """A field to sort by may begin with a minus, which argparse takes for another option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] == "--sort":
            joined[-1] = f"--sort={word}"
        else:
            joined.append(word)
    return joined


def _run(options: argparse.Namespace) -> int:
    if work := getattr(options, "work", None):
        return int(work(options))
    if options.command == "login":
        return login.login(options.url, options.token, for_ml_dash=options.ml_dash)
    if options.command == "logout":
        return login.logout(options.url)
    if options.command == "import":
        return import_command.run_import(options)
    if options.url:
        parse_address(options.url)  # rather misuse than a server that is silent
    root = config.data_dir(options.directory)
    if options.command == "doctor":
        return doctor.examine(root, options.url)
    return _sync(root, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runyard", description="Runyard on the side of the jobs.")
    parser.add_argument("--version", action="version", version=f"runyard {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("sync", "send what jobs have left on this machine, and what a restored server lacks"),
        ("doctor", "check directory, disk, server and token"),
    ):
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.add_argument("directory", nargs="?", help="default: $RUNYARD_DIR or the user's own")
        command.add_argument("--url", help="another server than the one the jobs were told")
    sync = commands.choices["sync"]
    sync.add_argument("--watch", action="store_true", help="go on until Ctrl-C")
    sync.add_argument(
        "--patience", type=float, default=10.0, metavar="SECONDS", help="with a silent server (10)"
    )
    for name, help_text in (
        ("login", "keep a token for a server on this machine"),
        ("logout", "forget the token for a server"),
    ):
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.add_argument("url", nargs="?", help="default: $RUNYARD_URL")
    commands.choices["login"].add_argument(
        "--ml-dash",
        action="store_true",
        help="let the published ml-dash find it, too, in ~/.dash (needs runyard[login])",
    )
    commands.choices["login"].add_argument(
        "--token",
        help="instead of being asked; others on this machine may see it in the process list",
    )
    import_command.add_parser(commands)
    for module in (ls, show, rm, export, verify, watch):
        module.add_parser(commands)
    return parser


def _sync(root: Path, options: argparse.Namespace) -> int:
    ask_at = 0.0
    while True:
        is_complete = _sync_once(root, options)
        if time.monotonic() >= ask_at:
            is_complete = _sync_kept(root, options) and is_complete
            ask_at = time.monotonic() + ASK_AGAIN_S
        if not options.watch:
            return 0 if is_complete else 1
        time.sleep(WATCH_S)


def _sync_once(root: Path, options: argparse.Namespace) -> bool:
    orphans.sweep_spools(root)
    paths = orphans.spool_paths(root)
    spools = [spool for path in paths if (spool := orphans.adopt(path))]
    busy_count = len(paths) - len(spools)
    results = [_sync_spool(spool, options) for spool in spools]
    if spools or not options.watch:
        busy = f"; {busy_count} in use or kept for now" if busy_count else ""
        _say(f"{sum(results)} of {counted(len(spools), 'spool')} in {root} sent{busy}.")
    return all(results)


def _sync_kept(root: Path, options: argparse.Namespace) -> bool:
    """Send again what a server lacks that was restored from a backup; a silent one is asked once.

    False: it lacks something, and does not take it.
    """
    silent: set[str] = set()
    failed_count = 0
    for path in kept_paths(root):
        spool = Spool.adopt(path)
        if spool is None:
            continue
        _redirect(spool, options)
        if spool.meta.url in silent:
            spool.release()
            continue
        sender = _sender(spool)
        is_sent = orphans.deliver(sender, patience_s=options.patience)
        if sender.has_rewound:
            result = "sent again" if is_sent else sender.stopped or sender.trouble
            Progress(_name(spool)).end(sender, result)
            failed_count += not is_sent
        elif sender.stopped:
            remove_kept(path)
        elif not is_sent:
            silent.add(spool.meta.url)
    for url in sorted(silent):
        _say(f"{url} could not be asked whether it still has what it was sent before.")
    return not failed_count


def _redirect(spool: Spool, options: argparse.Namespace) -> None:
    if options.url:
        spool.meta = spool.meta._replace(url=parse_address(options.url).url)


def _name(spool: Spool) -> str:
    return f"{spool.meta.project}/{spool.meta.server_key or spool.meta.key}"


def _sender(spool: Spool) -> Sender:
    address = parse_address(spool.meta.url)
    return Sender(spool, HttpTransport(address, _credentials(address, spool.meta.user)))


def _sync_spool(spool: Spool, options: argparse.Namespace) -> bool:
    _redirect(spool, options)
    progress = Progress(_name(spool))
    sender = _sender(spool)
    is_sent = orphans.deliver(sender, patience_s=options.patience, progress=progress.show)
    why_not = "does not let us in" if sender.is_denied else "is silent"
    progress.end(sender, "sent" if is_sent else sender.stopped or f"{spool.meta.url} {why_not}")
    return is_sent


@cache  # a password is asked for once, however many spools wait
def _credentials(address: Address, user: str) -> Credentials:
    """The token of this machine, else the password of who logged, if somebody is there to type it."""
    if not user or config.token_for(address.origin) or not sys.stdin.isatty():
        return Credentials()
    from getpass import getpass  # noqa: PLC0415 -- slow import, seldom needed

    try:
        return Login(user, getpass(f"Password of {user} at {address.url}: "))
    except EOFError:  # Ctrl-D: nobody wants to say it
        return Credentials()


class Progress:
    """One line for each spool, renewed in place on a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown_at = 0.0

    def show(self, sender: Sender) -> None:
        if sys.stderr.isatty() and time.monotonic() > self._shown_at + 0.2:
            self._shown_at = time.monotonic()
            sys.stderr.write(f"\r{self._text(sender)} ")
            sys.stderr.flush()

    def end(self, sender: Sender, result: str) -> None:
        start = "\r" if sys.stderr.isatty() else ""
        _say(f"{start}{self._text(sender)}: {result}")

    def _text(self, sender: Sender) -> str:
        last_seq = sender.spool.mark.seq
        return f"{self._name}: {last_seq - sender.backlog:,} of {counted(last_seq, 'record')}"


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
