"""Start services and say how to reach them, until Ctrl-C: `python -m tests.services postgres redis s3`."""

import signal
import sys
from contextlib import ExitStack

from tests.services.postgres import postgres
from tests.services.redis import redis
from tests.services.s3 import s3


def main(names: list[str]) -> None:
    with ExitStack() as services:
        if "postgres" in names:
            print(f"export DATABASE_URL={services.enter_context(postgres()).url}")
        if "redis" in names:
            print(f"export REDIS_URL={services.enter_context(redis()).url}")
        if "s3" in names:
            for name, value in services.enter_context(s3()).env().items():
                print(f"export {name}={value}")
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main(sys.argv[1:])
