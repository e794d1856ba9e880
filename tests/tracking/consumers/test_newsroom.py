import asyncio

import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError

from tests.factories import log_points, make_run
from tracking.consumers import newsroom as module
from tracking.consumers.newsroom import Newsroom, Order, read_piece
from tracking.domain.series import read_news
from tracking.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
in_thread = database_sync_to_async


@pytest.fixture
def run() -> Run:
    run = make_run("run-1")
    for step in range(3):
        log_points(run, {"loss": [step]}, first_step=step)
    run.refresh_from_db()
    return run


@pytest.fixture
def reads(monkeypatch) -> list[int]:
    """The revisions after which the database was read."""
    found: list[int] = []

    def read(run_id, after, **options):
        found.append(after)
        return read_news(run_id, after, **options)

    monkeypatch.setattr(module, "read_news", read)
    return found


async def test_watchers_of_one_commit_share_one_reading(run, reads):
    room, order = Newsroom(read_piece), Order(run.pk, 1)

    pieces = await asyncio.gather(*(room.read(order) for _ in range(200)))
    late = await room.read(order)

    assert reads == [1]
    assert all(piece is late for piece in pieces)


async def test_watchers_of_different_times_read_for_themselves(run, reads):
    room, order = Newsroom(read_piece), Order(run.pk, 0)

    whole = await room.read(order)
    cut = await room.read(order._replace(since_us=2**60))

    assert (b'"step":2' in whole.last, cut.last) == (True, b"")
    assert reads == [0, 0]


async def test_watcher_who_leaves_does_not_take_the_reading_along(run, reads):
    room, order = Newsroom(read_piece), Order(run.pk, 1)
    leaver, stayer = (asyncio.create_task(room.read(order)) for _ in range(2))
    await asyncio.sleep(0)

    leaver.cancel()

    assert (await stayer).revision == run.revision
    assert reads == [1]


async def test_failed_reading_is_done_again(run, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("database is locked")

    room, order = Newsroom(read_piece), Order(run.pk, 1)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_news", fail)
        with pytest.raises(OperationalError):
            await room.read(order)

    assert (await room.read(order)).revision == run.revision


async def test_nothing_is_kept_when_nobody_has_asked_for_a_while(run, monkeypatch):
    monkeypatch.setattr(module, "KEEP_S", 0.01)
    room = Newsroom(read_piece)

    await room.read(Order(run.pk, 1))
    await asyncio.sleep(0.1)

    assert room._pieces == {}


async def test_oldest_pieces_go_when_they_are_too_large_together(run, monkeypatch):
    room = Newsroom(read_piece)
    whole = await room.read(Order(run.pk, 0))
    monkeypatch.setattr(module, "KEEP_BYTES", whole.size_bytes)

    for after in (1, 2, 3):
        await room.read(Order(run.pk, after))

    assert [order.after for order in room._pieces] == [2, 3]


async def test_reading_that_brought_nothing_is_not_kept(run, reads):
    room, order = Newsroom(read_piece), Order(run.pk, run.revision)

    pieces = [await room.read(order) for _ in range(2)]

    assert [piece.revision for piece in pieces] == [run.revision] * 2
    assert reads == [run.revision] * 2


async def test_deleted_run_has_no_piece(run):
    await in_thread(Run.objects.all().delete)()

    assert await Newsroom(read_piece).read(Order(run.pk, 1)) is None


def test_piece_is_cut_into_parts_and_its_last_frame(run):
    log_points(run, {"loss": [0.5] * 1_000}, first_step=3)

    piece = read_piece(Order(run.pk, 0))
    frames = b"".join([*piece.parts, piece.rest, piece.last]).split(b"\n\n")

    assert len(frames) == 1_003 + 1
    assert [part.endswith(b"\n\n") for part in piece.parts] == [True]
    assert piece.last.count(b"event: ") == 1
