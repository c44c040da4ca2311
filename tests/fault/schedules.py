#!/usr/bin/env python3
"""Schedules of one second while dispatcher and standby are killed: no second fires twice, and none is lost.

    python3 tests/fault/schedules.py --bgt build/release/bgt --schedules 10 --seconds 30 --every 50

Each task appends its id to a file. Meanwhile the dispatcher or its standby is killed every so many milliseconds, and somebody
comes by with `bgt ps` now and then. At the end the history of each schedule must hold every second from its first to its last
exactly once, whatever became of it, and each task that has fired must have run once."""
from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from chaos import FIXED_NAMES, Chaos, options, run


def seconds_of(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Schedules(Chaos):
    def __init__(self, args):
        super().__init__(args, "schedule", BGT_KEEP_ENDED="1000000")

    def play(self) -> list[str]:
        self("queue", "set", "default", "slots=20")
        names = [f"s{i}" for i in range(self.args.schedules)]
        for name in names:
            self("schedule", "add", name, "--cron", "* * * * * *", "--missed", "all:1000", "--overlap", "allow", "--",
                 "sh", "-c", f'echo "$BGT_TASK_ID" >> {self.log}')
        end = time.monotonic() + self.args.seconds
        while time.monotonic() < end:
            time.sleep(self.args.every / 1000)
            self.kill_one(lambda name: name in FIXED_NAMES)
            if self.dice.random() < 0.1:
                self("ps")
        self("schedule", "pause", *names)
        patience = time.monotonic() + 120
        while any(queue["waiting"] or queue["running"] for queue in json.loads(self("queue", "--json"))["queues"]):
            if time.monotonic() > patience:
                return ["not over in time: " + self("queue")]
            time.sleep(0.1)
        wrong = self.judge(names)
        self("schedule", "rm", *names)
        return wrong

    def judge(self, names: list[str]) -> list[str]:
        wrong: list[str] = []
        ran = Counter(int(line) for line in Path(self.log).read_text().split())
        what: Counter = Counter()
        tasks: set[int] = set()
        for name in names:
            seen: Counter = Counter()
            for row in json.loads(self("schedule", "history", name, "--json"))["history"]:
                what[row["what"]] += row["count"]
                if row["what"] == "paused":
                    continue
                first, last = seconds_of(row["first"]), seconds_of(row["last"])
                if last - first + 1 != row["count"]:
                    wrong.append(f"{name}: {row['count']} times from {row['first']} to {row['last']}")
                seen.update(range(first, last + 1))
                if row["what"] != "fired":
                    continue
                task = row["run"]["task"]
                if task in tasks:
                    wrong.append(f"task {task} is that of two times")
                tasks.add(task)
                if ran[task] != 1:
                    wrong.append(f"task {task} of {name}, {row['first']}, ran {ran[task]} times: {row['run']}")
            wrong += [f"{name}: second {second} is told {times} times" for second, times in seen.items() if times > 1]
            missing = set(range(min(seen), max(seen) + 1)) - set(seen)
            wrong += [f"{name}: second {second} is not told" for second in sorted(missing)]
        wrong += [f"task {task} ran and is in no history" for task in set(ran) - tasks]
        print(f"{len(names)} schedules, {sum(what.values())} times: {dict(what)}, {len(tasks)} tasks, killed {dict(self.killed)}")
        return wrong


def main() -> int:
    words = options(every=50)
    words.add_argument("--schedules", type=int, default=5)
    words.add_argument("--seconds", type=float, default=20)
    return run(Schedules(words.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
