"""Records of long ago, such as imports bring them."""

import time

import pytest
from django.utils import timezone

from tests.factories import make_batch, start_event, take_in
from tracking.domain.batch import Event, Points
from tracking.models import Run

pytestmark = pytest.mark.django_db


def test_past_is_no_sign_of_life_now():
    began, logged = 1_700_000_000_000_000, 1_700_000_600_000_000
    start = start_event(started_at=began)
    row = Points.of_row(0, {"loss": 1.0}, logged)

    take_in(make_batch(1, 1, events=start, is_past=True))
    first = Run.objects.get().last_seen_at
    take_in(make_batch(2, 2, points=row, is_past=True))
    second = Run.objects.get().last_seen_at
    take_in(make_batch(3, 3, events=(Event(3, "tags", {"tags": ["a"]}),), is_past=True))
    take_in(
        make_batch(4, 4, events=(Event(4, "log", {"message": "m", "time": began}),), is_past=True)
    )
    take_in(make_batch(5, 4, is_past=True))

    assert [seen.timestamp() * 1e6 for seen in (first, second)] == [began, logged]
    assert Run.objects.get().last_seen_at == second
    assert Run.objects.get().is_stale


def test_past_that_claims_to_be_the_future_is_now():
    ahead = (time.time_ns() // 1000) + 86_400_000_000

    take_in(make_batch(1, 1, events=start_event(started_at=ahead), is_past=True))
    take_in(make_batch(2, 2, points=Points.of_row(0, {"loss": 1.0}, ahead), is_past=True))

    assert abs((Run.objects.get().last_seen_at - timezone.now()).total_seconds()) < 30


def test_past_takes_no_life_away():
    take_in(make_batch(1, 1, events=start_event()))
    before = Run.objects.get().last_seen_at

    take_in(make_batch(2, 2, points=Points.of_row(0, {"loss": 1.0}, 10**15), is_past=True))

    assert Run.objects.get().last_seen_at == before
