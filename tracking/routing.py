"""The paths that consumers answer; all others are Django's."""

from django.urls import URLPattern, re_path

from tracking.consumers.ingest import IngestConsumer
from tracking.consumers.streams import RunStream

RUNS = r"^api/projects/(?P<project>[^/]+)/runs"

http_urlpatterns = [
    re_path(r"^ingest/v1/batch/?$", IngestConsumer.as_asgi()),
    re_path(rf"{RUNS}/stream/?$", RunStream.as_asgi()),
    re_path(rf"{RUNS}/(?P<run>[^/]+)/stream/?$", RunStream.as_asgi()),
]
websocket_urlpatterns: list[URLPattern] = []
