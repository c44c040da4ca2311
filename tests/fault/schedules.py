#!/usr/bin/env python3
"""Schedules of one second while dispatcher and standby are killed: no second fires twice, and none is lost.

    python3 tests/fault/schedules.py --bgt build/release/bgt --schedules 10 --seconds 30 --every 50

Each task appends its id to a file. Meanwhile the dispatcher or its standby is killed every so many milliseconds, and somebody
comes by with `bgt ps` now and then. At the end the history of each schedule must hold every second from its first to its last
exactly once, whatever became of it, and each task that has fired must have run once."""
from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from waiting import bgt_processes


def seconds_of(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Chaos:
    def __init__(self, args):
        self.folder = tempfile.mkdtemp(prefix="schedule-chaos-")
        self.args = args
        self.dice = random.Random(args.seed)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "BGT_ROOT": f"{self.folder}/root", "BGT_KEEP_ENDED": "1000000"}
        self.log = f"{self.folder}/log"
        self.killed: Counter = Counter()

    def __call__(self, *words: str) -> str:
        done = subprocess.run([self.args.bgt, *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise SystemExit(f"bgt {' '.join(words)[:100]} -> {done.returncode} {done.stderr[:300]}")
        return done.stdout

    def kill_one(self) -> None:
        candidates = [p for p in bgt_processes(self.env["BGT_ROOT"]) if p[1] in ("bgt:dispatcher", "bgt:standby")]
        if not candidates:
            return
        pid, name = self.dice.choice(candidates)
        try:
            os.kill(pid, signal.SIGKILL)
            self.killed[name] += 1
        except ProcessLookupError:
            pass

    def play(self) -> list[str]:
        self("queue", "set", "default", "slots=20")
        names = [f"s{i}" for i in range(self.args.schedules)]
        for name in names:
            self("schedule", "add", name, "--cron", "* * * * * *", "--missed", "all:1000", "--overlap", "allow", "--",
                 "sh", "-c", f'echo "$BGT_TASK_ID" >> {self.log}')
        end = time.monotonic() + self.args.seconds
        while time.monotonic() < end:
            time.sleep(self.args.every / 1000)
            self.kill_one()
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
    options = argparse.ArgumentParser()
    options.add_argument("--bgt", required=True, type=os.path.abspath)
    options.add_argument("--schedules", type=int, default=5)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--every", type=float, default=50, help="milliseconds between two kills")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    args = options.parse_args()
    chaos = Chaos(args)
    wrong = chaos.play()
    for line in wrong[:20]:
        print(f"FAILED (seed {args.seed}): {line}")
    if wrong:
        print(f"    left for a look: {chaos.folder}")
    else:
        shutil.rmtree(chaos.folder)
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
