"""Records that the disk would not take: kept in memory up to a bound, then counted."""

from runyard.records import encode_event

MEMORY_BYTES = 64 * 1024**2


class Overflow:
    """Numbered records in memory. Not safe between threads but for `get`."""

    def __init__(self) -> None:
        self.dropped_count = 0
        self._records: dict[int, bytes] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def get(self, seq: int) -> bytes | None:
        return self._records.get(seq)

    @property
    def first_seq(self) -> int:
        return next(iter(self._records))

    def add(self, seq: int, frame: bytes, *, is_vital: bool) -> bool:
        """False: there is no room, the record is dropped and counted. Vital ones always find room."""
        if not is_vital and self._bytes + len(frame) > MEMORY_BYTES:
            self.dropped_count += 1
            return False
        self._records[seq] = frame
        self._bytes += len(frame)
        return True

    def forget(self, acked_seq: int) -> None:
        while self._records and (seq := self.first_seq) <= acked_seq:
            self._bytes -= len(self._records.pop(seq))

    def take_report(self, seq: int) -> bytes:
        """The framed record that stands for what was dropped; the count starts anew."""
        count, self.dropped_count = self.dropped_count, 0
        reason = "no room on the disk of the job"
        gap = {"first_seq": seq, "last_seq": seq, "count": count, "reason": reason}
        return encode_event("gap", gap)
