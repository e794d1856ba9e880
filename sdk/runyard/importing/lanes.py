"""Several runs at once: what takes a server long is the disk, and it commits together what waits."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from runyard.importing.delivery import Courier, ImportStopped
from runyard.transport import Address, HttpTransport

LANES = 4
Task = TypeVar("Task")


@contextmanager
def open_couriers(
    address: Address, *, patience_s: float, on_progress: Callable[[int], None] | None = None
) -> Iterator[list[Courier]]:
    """One for each lane."""
    with ExitStack() as stack:
        transports = [HttpTransport(address) for _ in range(LANES)]
        for transport in transports:
            stack.callback(transport.close)
        yield [
            Courier(transport, address.url, patience_s=patience_s, on_progress=on_progress)
            for transport in transports
        ]


def deal_out(
    tasks: Iterator[Task],
    couriers: list[Courier],
    begin: Callable[[Courier, Task], Callable[[], None]],
) -> str:
    """Begin one task after the other, and do what `begin` returns at the same time as others; "",
    or why no more could be sent. What was not begun then is left in `tasks`.
    """
    lock = threading.Lock()
    reasons: list[str] = []

    def stop(reason: str) -> None:
        reasons.append(reason)
        for courier in couriers:
            courier.end()

    def go(courier: Courier) -> None:
        while True:
            try:
                with lock:
                    task = None if reasons else next(tasks, None)
                    work = None if task is None else begin(courier, task)
                if work is None:
                    return
                work()
            except ImportStopped as stopped:
                stop(str(stopped))

    with ThreadPoolExecutor(len(couriers)) as pool:
        lanes = [pool.submit(go, courier) for courier in couriers]
        try:
            for lane in lanes:
                lane.result()
        except BaseException:
            stop("interrupted")
            raise
    return reasons[0] if reasons else ""
