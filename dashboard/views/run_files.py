"""The files of a run: their list, previews, and the bytes."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers

from dashboard.decorators import page
from dashboard.downloads import send_elsewhere, send_file, send_media
from dashboard.htmx import is_htmx
from dashboard.params import text_param
from dashboard.previews import media_type, preview_file
from dashboard.run_files import cut_files
from dashboard.run_parts import render_part
from tracking.domain.access import find_run
from tracking.domain.artifacts import find_link, open_artifact


@page
def artifact_list(request: HttpRequest, project_key: str, run_key: str) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    query = text_param(request.GET, "q")
    files = cut_files(run, query=query, number=request.GET.get("page"))
    return render_part(request, run, "artifacts", {"files": files, "query": query})


@page
def artifact(
    request: HttpRequest, project_key: str, run_key: str, artifact_id: str
) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    found = get_object_or_404(run.artifacts, pk=artifact_id)
    is_head = request.method == "HEAD"
    if not is_head and (link := find_link(found)):
        return send_elsewhere(link)
    file, size_bytes = open_artifact(found), found.size_bytes
    return send_file(file, name=found.name, size_bytes=size_bytes, is_head=is_head)


@page
def artifact_content(
    request: HttpRequest, project_key: str, run_key: str, artifact_id: str
) -> HttpResponseBase:
    run = find_run(request.user, project_key, run_key)
    found = get_object_or_404(run.artifacts, pk=artifact_id)
    file = open_artifact(found)
    content_type = media_type(file, found.name)
    if content_type is None:
        file.close()
        raise Http404("This file is not shown; it can be downloaded.")
    asked = request.headers.get("Range", "")
    return send_media(
        file,
        content_type=content_type,
        size_bytes=found.size_bytes,
        asked=asked,
        is_head=request.method == "HEAD",
    )


@page
def artifact_preview(
    request: HttpRequest, project_key: str, run_key: str, artifact_id: str
) -> HttpResponse:
    run = find_run(request.user, project_key, run_key)
    found = get_object_or_404(run.artifacts, pk=artifact_id)
    with open_artifact(found) as file:
        preview = preview_file(file, name=found.name, size_bytes=found.size_bytes)
    template = "_preview.html" if is_htmx(request) else "artifact_preview.html"
    context = {"project": run.project, "run": run, "artifact": found, "preview": preview}
    response = render(request, f"dashboard/{template}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
