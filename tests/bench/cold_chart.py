"""The first chart of a process that has drawn none: prints milliseconds.

Everything is imported and the file lies in the system's memory, open in another thread as the
writer has it; the request's connection is new, and memory for points has not been touched.
Usage: python -m tests.bench.cold_chart (api|floor) PROJECT RUN
"""

import os
import sys
import time
from threading import Event, Thread


def stay_connected(is_connected: Event) -> None:
    from tracking.models import Run

    Run.objects.exists()
    is_connected.set()
    time.sleep(60)


def main() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.db import connection

    from tests.bench.charts import ask, decode_and_downsample
    from tracking.models import MetricPoint, Run

    way, project, key = sys.argv[1:]
    run = Run.objects.get(project__key=project, key=key)
    ask(project, [run], metric="none")
    is_connected = Event()
    Thread(target=stay_connected, args=[is_connected], daemon=True).start()
    is_connected.wait()
    rows = [
        bytes(data) for data in MetricPoint.objects.filter(run=run).values_list("data", flat=True)
    ]
    connection.close()
    start = time.perf_counter()
    if way == "api":
        ask(project, [run])
    else:
        decode_and_downsample(rows)
    print((time.perf_counter() - start) * 1e3)


if __name__ == "__main__":
    main()
