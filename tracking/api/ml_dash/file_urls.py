"""Addresses of files that are theirs alone; what all nodes share stands in `urls`."""

from django.urls import re_path

from tracking.api.ml_dash.file_views import FileNodeViewSet, FilesViewSet, FileViewSet

FILES = "experiments/(?P<experiment>[^/]+)/files"
FILE = f"{FILES}/(?P<file>[^/]+)"

files = FilesViewSet.as_view({"get": "list_files", "post": "upload_file"})
file = FileViewSet.as_view({"get": "get_file", "patch": "update_file", "delete": "delete_file"})

urlpatterns = [  # a slash at the end changes nothing
    re_path(f"^{FILES}/?$", files),
    re_path(f"^{FILE}/?$", file),
    re_path(f"^{FILE}/download/?$", FileViewSet.as_view({"get": "download_file"})),
    re_path(
        "^nodes/(?P<node>[^/]+)/download/?$", FileNodeViewSet.as_view({"get": "download_node"})
    ),
    re_path("^search/files/?$", FileNodeViewSet.as_view({"get": "search_files"})),
]
