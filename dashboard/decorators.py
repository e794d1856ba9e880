"""What every page has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.htmx import is_htmx
from tracking.errors import InvalidInput, NotFound, NotPermitted, Overloaded, StoreAway

RETRY_AFTER_S = 10
View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A view that only reads."""
    return require_safe(_speak_to_people(view))


def action(view: View) -> View:
    """A view that only changes something."""
    return require_POST(_speak_to_people(view))


def editor(view: View) -> View:
    """A view that shows something and changes it: GET and POST."""
    return require_http_methods(["GET", "HEAD", "POST"])(_speak_to_people(view))


def _speak_to_people(view: View) -> View:
    """The domain's errors as pages, or, where HTMX asked, as the line of text it will show."""

    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error
        except NotPermitted as error:
            raise PermissionDenied(str(error)) from error
        except InvalidInput as error:
            template = "dashboard/_problem.html" if is_htmx(request) else "400.html"
            return render(request, template, {"exception": error}, status=400)
        except (StoreAway, Overloaded) as error:
            template = "dashboard/_problem.html" if is_htmx(request) else "503.html"
            answer = render(request, template, {"exception": error}, status=503)
            answer["Retry-After"] = str(RETRY_AFTER_S)
            return answer

    return wrapped
