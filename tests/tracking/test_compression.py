import gzip
import json

import pytest
import zstandard
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse

from tests.factories import log_points, make_run
from tracking import compression
from tracking.compression import choose_encoding, compress_answers

BROWSER = "gzip, deflate, br, zstd"
METRICS = "/api/projects/proj/runs/metrics?runs=run-1"


@pytest.mark.parametrize(
    ("accept", "size_bytes", "expected"),
    [
        ("", 1000, ""),
        ("identity", 1000, ""),
        ("br", 1000, ""),
        ("gzip", 1000, "gzip"),
        ("GZIP ; q=0.5", 1000, "gzip"),
        ("gzip;q=0", 1000, ""),
        ("gzip;q=lots", 1000, ""),
        (BROWSER, 1000, "zstd"),
        ("zstd;q=0.1, gzip", 1000, "gzip"),
        ("zstd;q=0, gzip", 1000, "gzip"),
        ("gzip", 1_000_000, ""),
        (BROWSER, 1_000_000, "zstd"),
        (",;q=,=;;", 1000, ""),
    ],
)
def test_encoding_is_one_that_is_liked_and_fast_enough(accept, size_bytes, expected):
    assert choose_encoding(accept, size_bytes) == expected


def through(response: HttpResponse, accept: str = BROWSER) -> HttpResponse:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_ENCODING"] = accept
    return compress_answers(lambda _: response)(request)


def test_page_comes_as_it_was_made():
    body = b"<p>hello</p>" * 1000

    small = through(HttpResponse(body, headers={"ETag": '"a"', "Content-Length": "12000"}), "gzip")

    assert gzip.decompress(small.content) == body
    assert len(small.content) < 500
    assert {name: small[name] for name in ("Content-Encoding", "ETag", "Vary")} == {
        "Content-Encoding": "gzip",
        "ETag": 'W/"a"',
        "Vary": "Accept-Encoding",
    }
    assert small["Content-Length"] == str(len(small.content))


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(b"x" * (compression.MIN_BYTES - 1)),
        HttpResponse(b"x" * 10_000, content_type="application/zip"),
        HttpResponse(b"x" * 10_000, headers={"Content-Encoding": "br"}),
        HttpResponse(status=304),
    ],
    ids=["small", "zip", "already", "unchanged"],
)
def test_what_gains_nothing_is_left_alone(response):
    before = response.content, response.get("Content-Encoding")

    after = through(response)

    assert (after.content, after.get("Content-Encoding")) == before
    assert after["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("kind", [StreamingHttpResponse, FileResponse])
def test_streams_are_left_alone(kind):
    response = through(kind(iter([b"x" * 10_000]), content_type="text/plain"))

    assert list(response) == [b"x" * 10_000]
    assert not response.has_header("Content-Encoding")


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_chart_is_compressed_and_unchanged_ones_are_still_known(client, form):
    log_points(make_run(), {"loss": [1.0] * 1000})
    url = f"{METRICS}&format={form}"
    headers = {"Accept-Encoding": BROWSER}

    plain, small = client.get(url), client.get(url, headers=headers)
    again = client.get(url, headers=headers | {"If-None-Match": small["ETag"]})

    assert small["Content-Encoding"] == "zstd"
    assert zstandard.decompress(small.content) == plain.content
    assert small["ETag"] == plain["ETag"]
    assert (again.status_code, again.content) == (304, b"")
    assert "Accept-Encoding" in again["Vary"]


@pytest.mark.django_db
def test_pages_and_lists_are_compressed(client):
    for n in range(5):
        make_run(f"run-{n}")

    page = client.get("/projects/proj/runs", headers={"Accept-Encoding": "gzip"})
    runs = client.get("/api/projects/proj/runs", headers={"Accept-Encoding": "gzip"})
    head = client.head("/api/projects/proj/runs", headers={"Accept-Encoding": "gzip"})

    assert b"run-4" in gzip.decompress(page.content)
    assert len(json.loads(gzip.decompress(runs.content))) == 5
    assert head["Content-Encoding"] == "gzip"
