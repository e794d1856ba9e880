"""Files of runs as they are sent by the APIs."""

from collections.abc import Callable

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from tracking.domain.archives import read_artifact
from tracking.domain.artifacts import has_file
from tracking.errors import NotFound
from tracking.models import Artifact


def send_artifact(artifact: Artifact, *, is_head: bool) -> HttpResponseBase:
    """Streams piece by piece, to be saved; for HEAD the file is not read. Raises: NotFound."""
    if not has_file(artifact):
        raise NotFound(f"The file of artifact '{artifact}' is not there any more.")
    answer: Callable[..., HttpResponseBase] = HttpResponse if is_head else StreamingHttpResponse
    return answer(
        b"" if is_head else read_artifact(artifact),
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": content_disposition_header(True, artifact.name) or "",  # noqa: FBT003 -- Django's own signature
            "Content-Length": str(artifact.size_bytes),
            "X-Content-Type-Options": "nosniff",
        },
    )
