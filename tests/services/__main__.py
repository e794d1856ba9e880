"""Services for as long as they are needed: `python -m tests.services postgres redis s3 [-- COMMAND]`.

Without a command it says how to reach them and waits for Ctrl-C; else it ends with the command.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from tests.services.postgres import postgres
from tests.services.redis import redis
from tests.services.s3 import s3

STOPS = {signal.SIGINT, signal.SIGTERM}


def main(words: list[str]) -> int:
    names, _, command = " ".join(words).partition(" -- ")
    with ExitStack() as services:
        env = start(names.split(), services)
        if command:
            arguments = words[words.index("--") + 1 :]
            return subprocess.run(arguments, env=os.environ | env, check=False).returncode
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        print("\n".join(f"export {name}={value}" for name, value in env.items()), flush=True)
        signal.sigwait(STOPS)
    return 0


def start(names: list[str], services: ExitStack) -> dict[str, str]:
    """The variables that tell a server of them."""
    env: dict[str, str] = {}
    for name in names:
        match name:
            case "postgres":
                env["DATABASE_URL"] = services.enter_context(postgres()).url
            case "redis":
                env["REDIS_URL"] = services.enter_context(redis()).url
            case "s3":
                env |= services.enter_context(s3()).env()
            case _:
                sys.exit(f"There is no service {name}: postgres, redis, s3.")
    return env


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
