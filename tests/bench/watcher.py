"""Many watchers of one run in one process, as light as can be: what they cost is not the server's.

Usage: python -m tests.bench.watcher PORT COUNT FIRST END OUT. Prints `ready` once all streams are open;
after all have seen the steps from FIRST to END, or PATIENCE_S, it writes when each came to each watcher (a row
for each watcher, NaN: never) to OUT and waits, with open streams, for a line on its input.
"""

import asyncio
import contextlib
import re
import sys
import time

import numpy as np

PATIENCE_S = 60
# A row in which one of the four metrics is missing does not count as seen.
ROW = re.compile(rb'"step":(\d+),"metrics":\{"m0":[^}]+"m1":[^}]+"m2":[^}]+"m3":[^}]+\}')


async def open_stream(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = "/api/projects/watched/runs/run/stream"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await reader.readuntil(b"event: status")
    return reader, writer


async def watch(reader: asyncio.StreamReader, first: int, seen: np.ndarray) -> None:
    rest = b""
    while np.isnan(seen).any():
        chunk = await reader.read(1 << 20)
        now = time.time()
        if not chunk:
            return
        text, end, rest = (rest + chunk).rpartition(b"\n\n")
        steps = np.array(ROW.findall(text + end), np.int64) - first
        fresh = steps[np.isnan(seen[steps])]
        seen[fresh] = now


async def main(port: int, count: int, first: int, end: int, out: str) -> None:
    streams = [await open_stream(port) for _ in range(count)]
    print("ready", flush=True)
    seen = np.full((count, end - first), np.nan)
    watching = [watch(reader, first, row) for (reader, _), row in zip(streams, seen, strict=True)]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*watching), PATIENCE_S)
    np.save(out, seen)
    print("done", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:5]), sys.argv[5]))
