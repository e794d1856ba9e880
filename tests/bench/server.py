"""The server under test, with an empty consumer beside it: `python -m tests.bench.server PORT`."""

import sys
from typing import Any

import django
from channels.generic.http import AsyncHttpConsumer
from channels.routing import URLRouter
from django.urls import re_path

from tracking.server import run_server


class EmptyConsumer(AsyncHttpConsumer):
    """Reads the body and answers: what any consumer costs before it does anything."""

    channel_layer_alias = ""

    async def handle(self, body: bytes) -> None:
        await self.send_response(200, b"{}", headers=[(b"Content-Length", b"2")])


def main() -> None:
    django.setup()
    from config.asgi import application

    routes: list[Any] = [
        re_path(r"^bench/empty$", EmptyConsumer.as_asgi()),  # type: ignore[arg-type]
        re_path(r"", application),
    ]
    run_server(URLRouter(routes), [f"tcp:port={sys.argv[1]}:interface=127.0.0.1"])


if __name__ == "__main__":
    main()
