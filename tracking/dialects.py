"""The words of each published API for what we store under one name."""

from tracking.enums import RunStatus

# *Maybe failed* is Aspara's word for a run that gave no sign of life for a while.
ASPARA_STATUS = {
    RunStatus.RUNNING: "wip",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "failed",
    "stale": "maybe_failed",
}
