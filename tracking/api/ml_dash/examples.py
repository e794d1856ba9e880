"""Answers as they look, for the documentation pages."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

TIME = "2026-01-01T12:00:00.000000Z"
RUN_ID = "3000000000000000001"
STREAM_ID = "4123456789012345678"


def answer(**body: Any) -> OpenApiResponse:
    """An object, shown by one of its kind."""
    return OpenApiResponse(OpenApiTypes.OBJECT, examples=[OpenApiExample("Answer", body)])


_PROJECT = {"id": "1000000000000000001", "name": "proj", "slug": "proj", "namespace": {"slug": "a"}}
_EXPERIMENT = {"id": RUN_ID, "name": "exp", "status": "RUNNING", "displayPath": "a/proj/exp"}
_NODE = {"id": RUN_ID, "type": "EXPERIMENT", "name": "exp", "experimentId": RUN_ID}
EXPERIMENT = answer(experiment=_EXPERIMENT, node=_NODE, project=_PROJECT)
NODE = answer(**_NODE)
DELETED = answer(
    projectId=_PROJECT["id"],
    deleted=3,
    experiments=3,
    message="Project 'proj' deleted successfully",
)
DELETED_FILE = answer(id="7196743999488123", deletedAt=TIME)
LOGGED = answer(created=1, startSequence=42, endSequence=42, experimentId=RUN_ID)
LOGS = answer(
    logs=[{"sequenceNumber": 42, "timestamp": TIME, "level": "info", "message": "Started"}],
    hasMore=False,
)
PARAMETERS = answer(id=RUN_ID, experimentId=RUN_ID, data={"model.lr": 0.001}, version=2)
APPENDED = answer(
    metricId=STREAM_ID, index="7", bufferedDataPoints="8", chunkSize=10_000, warnings=[]
)
APPENDED_ROWS = answer(metricId=STREAM_ID, startIndex="7", endIndex="9", count=3)
STATS = answer(
    metricId=STREAM_ID, name="train", totalDataPoints="3", totalChunks=0, firstValue={"loss": 0.5}
)
STREAMS = answer(metrics=[{"metricId": STREAM_ID, "name": "train", "totalDataPoints": "3"}])
ROWS = answer(
    data=[{"index": "0", "data": {"loss": 0.5}, "createdAt": TIME}],
    startIndex=0,
    endIndex=0,
    total=1,
    hasMore=False,
)
CHUNK = answer(chunkNumber=0, startIndex="0", endIndex="9999", dataCount=10_000, data=[])
PAGE = answer(
    format="ml-dash.metric-rows.v1",
    visibility="committed",
    order="storage",
    metricId=STREAM_ID,
    blocks=[{"columns": [{"name": "loss", "type": "float64"}], "rows": [[0.5]]}],
    returned=1,
    hasMore=False,
    nextCursor=None,
)
TRACK = answer(id=STREAM_ID, topic="robot/pose", tags=[], description=None)
TRACKS = answer(tracks=[{"id": STREAM_ID, "topic": "robot/pose", "totalEntries": "2"}])
APPENDED_ENTRIES = answer(count=2)
ENTRIES = answer(entries=[{"timestamp": 1.5, "position.x": 0.1}], count=1)
GRAPH = answer(data={"me": {"username": "alice"}})
