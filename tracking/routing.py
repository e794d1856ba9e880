"""The paths that consumers answer; all others are Django's."""

from django.urls import re_path

from tracking.consumers.ingest import IngestConsumer

http_urlpatterns = [
    re_path(r"^ingest/v1/batch/?$", IngestConsumer.as_asgi()),
]
