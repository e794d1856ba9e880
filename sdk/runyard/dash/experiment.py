"""What `experiment.json` says; the keys after `write_protected` are ours, the original keeps them."""

from typing import Any

from runyard.dash.records import About
from runyard.values import as_json, as_json_map

RUNNING = "RUNNING"
SENDERS = "sent_from"  # spools of jobs that send their rows to a server, too
MAX_SENDERS = 20


def describe_start(found: dict[str, Any], about: About, now: str) -> dict[str, Any]:
    """A new experiment, or one that goes on: what is not given now stays as it was.

    Raises: TypeError, ValueError.
    """
    given = _describe(about)
    if not found:
        document = given | {"created_at": now, "write_protected": False}
    else:
        news = {key: value for key, value in given.items() if value is not None and value != []}
        document = given | found | news | {"updated_at": now}
    for key in ("ended_at", "reason"):
        document.pop(key, None)
    started = {"started_at": found.get("started_at") or found.get("created_at") or now}
    return document | {"status": RUNNING, "status_at": now} | started


def describe_end(found: dict[str, Any], status: str, reason: str, now: str) -> dict[str, Any]:
    """`reason`: what an exception said; without one none is written."""
    ended = {"status": status, "status_at": now, "ended_at": now}
    kept = {key: value for key, value in found.items() if key != "reason"}
    return kept | ended | ({"reason": reason} if reason else {})


def add_sender(found: dict[str, Any], path: str) -> dict[str, Any]:
    return found | {SENDERS: [*list_senders(found), path][-MAX_SENDERS:]}


def list_senders(document: dict[str, Any]) -> list[str]:
    said = document.get(SENDERS)
    return [path for path in said if isinstance(path, str)] if isinstance(said, list) else []


def _describe(about: About) -> dict[str, Any]:
    return {
        "name": about.name,
        "project": about.project,
        "description": as_json(about.readme, "readme"),
        "tags": as_json(list(about.tags), "tags"),
        "bindrs": as_json(list(about.bindrs), "bindrs"),
        "prefix": about.prefix,
        "metadata": None if about.metadata is None else as_json_map(about.metadata, "metadata"),
    }
