"""The ASGI application: ingest and streams to consumers, behind one guard; the rest to Django."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import URLPattern, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_app = get_asgi_application()

from tracking.consumers.guard import Guard, close  # noqa: E402 -- needs the apps to be ready
from tracking.request_log import AsgiApp, Receive, Scope, Send, note_route, watch_requests  # noqa: E402 -- as above
from tracking.routing import http_urlpatterns, websocket_urlpatterns  # noqa: E402 -- as above


# Channels routes ASGI applications by Django's patterns, which are typed for views.
def guard(routes: list[URLPattern]) -> list[URLPattern]:
    return [
        re_path(route.pattern.regex.pattern, noted(route))  # type: ignore[arg-type]
        for route in routes
    ]


def noted(route: URLPattern) -> AsgiApp:
    pattern, app = route.pattern.regex.pattern, Guard(route.callback)

    async def note_and_answer(scope: Scope, receive: Receive, send: Send) -> None:
        note_route(pattern)
        await app(scope, receive, send)

    return note_and_answer


everything_else = re_path(r"", django_app)  # type: ignore[arg-type]
no_socket = re_path(r"", close)  # type: ignore[arg-type]
application = watch_requests(
    ProtocolTypeRouter(
        {
            "http": URLRouter([*guard(http_urlpatterns), everything_else]),
            "websocket": URLRouter([*guard(websocket_urlpatterns), no_socket]),
        }
    )
)
