"""Reading a spool back, from any record on, while it is being written."""

import os
from bisect import bisect_right

from runyard.records import FRAME, Lost, encode_event, split_frames
from runyard.spool import Spool

MAX_LOST = 500_000  # records that one `Lost` stands for; the server takes a million in a batch


class Reader:
    """For one thread. Remembers where the last read began and ended, so that reading on is cheap."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._offsets: dict[tuple[int, int], int] = {}  # (segment, record) → place in the file

    def read(self, seq: int, *, max_records: int, max_bytes: int) -> list[bytes | Lost]:
        """The payloads of record `seq` and those after it, as many as there are and the bounds allow.

        Records that are gone (damaged, or let go of before the server was set back) appear as
        `Lost`; record 1 never does, because the spool knows it by heart. Raises: OSError.
        """
        mark = self._spool.mark  # before the list: a segment that comes later does no harm
        if seq > mark.seq:
            return []
        if self._spool.overflow.get(seq):
            return self._read_memory(seq, max_records, max_bytes)
        segments = self._spool.segments
        place = bisect_right(segments, seq)
        records = None
        if place:
            following = segments[place] if place < len(segments) else mark.seq + 1
            limit = min(max_records, following - seq)
            size = mark.size if segments[place - 1] == mark.segment else -1
            records = self._read_segment(segments[place - 1], seq, size, limit, max_bytes)
        return records or self._stand_in(seq, segments, mark.seq)

    def _read_memory(self, seq: int, max_records: int, max_bytes: int) -> list[bytes | Lost]:
        records: list[bytes | Lost] = []
        while len(records) < max_records and max_bytes > 0:
            frame = self._spool.overflow.get(seq + len(records))
            if frame is None:
                break
            records.append(frame[FRAME.size :])
            max_bytes -= len(frame)
        return records

    def _read_segment(
        self, segment: int, seq: int, size: int, max_records: int, max_bytes: int
    ) -> list[bytes | Lost]:
        """`size`: how far the segment reaches, -1 to its end."""
        try:
            fd = os.open(self._spool.segment_path(segment), os.O_RDONLY)
        except FileNotFoundError:
            return []
        try:
            size = os.fstat(fd).st_size if size < 0 else size
            offset = self._offsets.get((segment, seq))
            if offset is None:
                _, offset = split_frames(
                    os.pread(fd, size, 0), max_records=seq - segment, max_bytes=size
                )
            data = os.pread(fd, size - offset, offset)
        finally:
            os.close(fd)
        records, used = split_frames(data, max_records=max_records, max_bytes=max_bytes)
        self._offsets = {(segment, seq): offset, (segment, seq + len(records)): offset + used}
        return records

    def _stand_in(self, seq: int, segments: list[int], last_seq: int) -> list[bytes | Lost]:
        """What to say in the place of records that are gone."""
        if seq == 1:
            return [encode_event("start", self._spool.meta.start)[FRAME.size :]]
        following = next((first for first in segments if first > seq), last_seq + 1)
        if self._spool.overflow:
            following = min(following, max(seq + 1, self._spool.overflow.first_seq))
        return [Lost(min(following - seq, MAX_LOST), "no longer on the disk of the job")]
