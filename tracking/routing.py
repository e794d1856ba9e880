"""The paths that consumers answer; all others are Django's."""

from django.urls import re_path

from tracking.consumers.ingest import IngestConsumer
from tracking.consumers.run_socket import RunSocket
from tracking.consumers.streams import RunStream

RUNS = r"^api/projects/(?P<project>[^/]+)/runs"

http_urlpatterns = [
    re_path(r"^ingest/v1/batch/?$", IngestConsumer.as_asgi()),
    re_path(rf"{RUNS}/stream/?$", RunStream.as_asgi()),
    re_path(rf"{RUNS}/(?P<run>[^/]+)/stream/?$", RunStream.as_asgi()),
]
websocket_urlpatterns = [re_path(r"^ws/(?P<run_id>[0-9]+)/?$", RunSocket.as_asgi())]
