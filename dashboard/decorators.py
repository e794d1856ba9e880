"""What every page has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from tracking.errors import NotFound, NotPermitted

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A view that only reads, with the domain's errors turned into pages for people."""

    @require_safe
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        except NotPermitted as error:
            raise PermissionDenied(str(error)) from error

    return wrapped
