"""Names for runs that were given none: two words and a number, easy to say and to find again."""

import re
from hashlib import sha256
from random import SystemRandom

ADJECTIVES = """
    amber autumn bold brave bright brisk calm clear clever cosmic crisp dapper daring dawn deep
    eager early fair fluent fresh gentle gilded glad golden grand happy humble keen kind lively
    lucid lucky mellow merry mighty misty noble nimble patient placid proud quick quiet rapid rosy
    serene sharp silent silver smooth snowy solar steady stellar sunny swift tidy vivid warm wise
"""
NOUNS = """
    acorn anchor aspen badger beacon birch bison brook canyon cedar comet condor coral crane delta
    dolphin dune eagle ember falcon fern finch fjord fox garden glacier grove harbor hawk heron
    island jasper lagoon lark lion lynx maple meadow meteor moss oak ocean orchid osprey otter owl
    panda pebble pine planet raven reef river robin sparrow spruce summit thistle tiger willow
"""
DIGEST_LENGTH = 6  # few runs of one machine are alike but for their signs
_RANDOM = SystemRandom()  # the job's own random state and seed are none of our business


def generate_name() -> str:
    """One of some 36 million: `happy-falcon-4242`."""
    return f"{_RANDOM.choice(ADJECTIVES.split())}-{_RANDOM.choice(NOUNS.split())}-{_RANDOM.randint(1, 9999)}"


def local_key(name: str, fallback: str) -> str:
    """What a thing of any name is called on this machine, until the server tells its key.

    One that has lost more than blanks has a digest: a spawned process knows its parent's run by it.
    """
    key = re.sub(r"[^A-Za-z0-9_]+", "-", name)[:200].strip("-") or fallback
    is_whole = key == "-".join(name.split())
    return key if is_whole else f"{key}-{sha256(name.encode()).hexdigest()[:DIGEST_LENGTH]}"


def full_jitter(limit_s: float) -> float:
    """A random time up to `limit_s`, so that many jobs do not come back at once."""
    return _RANDOM.uniform(0, limit_s)
