"""Processes that log to one run: how a spawned one learns of it.

`RUNYARD_RUN` holds `<uid>` alone when people set it for all processes of a training, or
`<uid> <pid> <project> <key>` when a process with a run hands it down.
"""

import os
import sys
from typing import NamedTuple

VARIABLE = "RUNYARD_RUN"


class Inherited(NamedTuple):
    uid: str
    key: str | None


def inherited_run(project: str, key: str | None) -> Inherited | None:
    """The run of the parent process, if it is this one that is meant.

    That is so when project and name agree, or when no name is given in a process that
    `multiprocessing` started. A program of its own that gives no name gets a run of its own.
    """
    uid, *rest = os.environ.get(VARIABLE, "").split() or [""]
    if not uid:
        return None
    if len(rest) != 3:
        return Inherited(uid, None)
    pid, its_project, its_key = rest
    if pid == str(os.getpid()) or project != its_project:
        return None
    is_meant = key == its_key or (key is None and is_multiprocessing_child())
    return Inherited(uid, its_key) if is_meant else None


def hand_down(uid: str, project: str, key: str) -> None:
    if len(os.environ.get(VARIABLE, "").split()) != 1:
        os.environ[VARIABLE] = f"{uid} {os.getpid()} {project} {key}"


def hand_down_no_more(uid: str) -> None:
    if os.environ.get(VARIABLE, "").startswith(f"{uid} {os.getpid()} "):
        del os.environ[VARIABLE]


def is_multiprocessing_child() -> bool:
    module = sys.modules.get("multiprocessing.process")  # imported by its children at the start
    return module is not None and module.parent_process() is not None
