"""What a test has found, and the table that `make chaos` prints."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from tests.e2e.live import ROOT


@dataclass(frozen=True, slots=True)
class Finding:
    """`faults` are counts by kind, all of which should be 0; `count` says of how many `units`."""

    test: str
    faults: dict[str, int]
    count: int
    units: str
    detail: str

    @property
    def is_clean(self) -> bool:
        return not any(self.faults.values())

    @property
    def result(self) -> str:
        told = ", ".join(f"{count:,} {kind}" for kind, count in self.faults.items())
        return f"{told} of {self.count:,} {self.units}"


def show(findings: list[Finding], head: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        json.dump({**head, "findings": [asdict(one) for one in findings]}, sys.stdout, indent=1)
        return
    print(", ".join(f"{name} {value}" for name, value in head.items()))
    for one in findings:
        print(f"{'ok' if one.is_clean else '!!'}  {one.test}\n    {one.result}; {one.detail}")


def commit() -> str:
    """What is being tested; a plus says that files of it have been changed since."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
