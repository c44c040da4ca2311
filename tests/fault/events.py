#!/usr/bin/env python3
"""Followers of `bgt events` that are killed again and again: no event is lost, and none is told twice.

    python3 tests/fault/events.py --bgt build/release/bgt --events 10000 --tasks 50 --every 50

Tasks write into their execution logs until there are so many events. Meanwhile one follower after the other
reads the stream as JSON, is killed by SIGKILL, and the next one continues from the last cursor of a whole line. What all of
them have read together must be what `bgt events --json` tells at the end, in the same order."""
from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter

from chaos import Chaos, options, run

REPORTER = """
import os, socket
address = os.environ["NOTIFY_SOCKET"]
report = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
report.connect("\\0" + address[1:] if address.startswith("@") else address)
for step in range({count}):
    report.send(b"X_BGT_LOG=info s%d" % step)
"""


class Events(Chaos):
    def __init__(self, args):
        super().__init__(args, "events", timeout=600)
        self.read: list[dict] = []
        self.cursor = ""
        self.followers = 0

    def follow(self, until: float | None) -> None:
        """One follower, killed at that time, or once it has told of all ends."""
        words = [self.args.bgt, "events", "-f", "--json", *(["--since", self.cursor] if self.cursor else [])]
        self.followers += 1
        follower = subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        killer = threading.Timer(max(until - time.monotonic(), 0), follower.kill) if until else None
        if killer:
            killer.start()
        for line in follower.stdout:
            if not line.endswith(b"\n"):
                break  # killed while it wrote
            event = json.loads(line)
            self.read.append(event)
            self.cursor = event["cursor"]
            if not until and self.is_over():
                break
        follower.kill()
        follower.wait()
        follower.stdout.close()
        if killer:
            killer.cancel()

    def is_over(self) -> bool:
        return sum(1 for event in self.read if event["type"] == "ended") == self.args.tasks

    def play(self) -> list[str]:
        count = -(-self.args.events // (self.args.tasks - 1))
        self("run", "--name", "first", "--", "true")
        for number in range(self.args.tasks - 1):
            self("run", "--tag", "chaos=1", "--name", f"t{number}", "--", sys.executable, "-c", REPORTER.replace("{count}", str(count)))
        deadline = time.monotonic() + 900
        while not self.is_over() and time.monotonic() < deadline:
            self.follow(time.monotonic() + self.args.every / 1000 * self.dice.uniform(0.2, 2))
        if not self.is_over():
            return ["not over in time"]
        whole = json.loads(self("events", "--json"))["events"]
        wrong = [f"told: {event}" for event in whole if event["type"] == "gap"]
        twice = [cursor for cursor, times in Counter(event["cursor"] for event in self.read).items() if times > 1]
        wrong += [f"read twice: {cursor}" for cursor in twice]
        if not wrong and [event["cursor"] for event in whole][: len(self.read)] != [event["cursor"] for event in self.read]:
            wrong.append(f"{len(self.read)} events were read one by one, {len(whole)} together, and they differ")
        if len(whole) < self.args.events:
            wrong.append(f"there are {len(whole)} events only")
        print(f"{len(self.read)} events, {self.followers} followers, each but the last killed by SIGKILL")
        return wrong


def main() -> int:
    words = options(every=50)
    words.add_argument("--events", type=int, default=10000)
    words.add_argument("--tasks", type=int, default=20)
    return run(Events(words.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
