"""Runyard's record: projects, runs, their metrics, points and artifacts. No workflows here."""

from tracking.models.lengths import NAME_LENGTH
from tracking.models.people import ApiToken, Invitation, Membership, User
from tracking.models.projects import Folder, Project, SavedView
from tracking.models.records import Artifact, LogLine, RowBlock, make_file_id
from tracking.models.runs import SERIES_COLORS, Metric, MetricPoint, Producer, Run

__all__ = [
    "NAME_LENGTH",
    "SERIES_COLORS",
    "ApiToken",
    "Artifact",
    "Folder",
    "Invitation",
    "LogLine",
    "Membership",
    "Metric",
    "MetricPoint",
    "Producer",
    "Project",
    "RowBlock",
    "Run",
    "SavedView",
    "User",
    "make_file_id",
]
