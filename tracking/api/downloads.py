"""Files of runs as they are sent by the APIs."""

from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header

from tracking.domain.artifacts import find_link, has_file, open_artifact
from tracking.domain.pieces import Pieces
from tracking.errors import NotFound
from tracking.models import Artifact


def send_artifact(
    artifact: Artifact, *, is_head: bool, may_redirect: bool = False
) -> HttpResponseBase:
    """Streams piece by piece, to be saved; for HEAD the file is not read.

    `may_redirect`: the client follows to where the file lies. Raises: NotFound, StoreAway.
    """
    if may_redirect and not is_head and (link := find_link(artifact)):
        return HttpResponseRedirect(link, headers={"Cache-Control": "private, no-store"})
    headers = {
        "Content-Disposition": content_disposition_header(True, artifact.name) or "",  # noqa: FBT003 -- Django's own signature
        "Content-Length": str(artifact.size_bytes),
        "X-Content-Type-Options": "nosniff",
    }
    kind = "application/octet-stream"
    if not is_head:
        pieces = Pieces(open_artifact(artifact), artifact.size_bytes)
        return StreamingHttpResponse(pieces, content_type=kind, headers=headers)
    if not has_file(artifact):
        raise NotFound(f"The file of artifact '{artifact}' is not there any more.")
    return HttpResponse(content_type=kind, headers=headers)
