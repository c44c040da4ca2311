#!/usr/bin/env python3
"""Waiting tasks while processes of bgt are killed: each runs exactly once, none is lost, the slots hold.

    python3 tests/fault/waiting.py --bgt build/release/bgt --tasks 10000 --every 20

Each task appends a line to a file when it begins and when it ends. Meanwhile a random process of bgt (dispatcher, standby,
supervisor, submitter) is killed every so many milliseconds. A task that began twice, one of which nothing was heard although it
was not told as lost before its start, and more tasks at once than there are slots are failures. With --removal half of the tasks
remove themselves (--rm), and bgt rm, bgt gc and rm -r remove others meanwhile."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from chaos import Chaos, options, run

SLOTS = 4


class Waiting(Chaos):
    def __init__(self, args):
        super().__init__(args, "queue", BGT_KEEP_ENDED="1000000")

    def remove_some(self) -> None:
        """What has ended, in one of the ways in which folders go."""
        def bgt(*words: str, **more: str) -> None:
            subprocess.run([self.args.bgt, *words], env={**self.env, **more}, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        ended = [line[2:] for line in Path(self.log).read_text().splitlines() if line[0] == "-"] if os.path.exists(self.log) else []
        there = [id for id in ended if os.path.exists(f"{self.root}/tasks/{id}")]
        if not there:
            return
        way = self.dice.choice(("rm", "gc", "hand"))
        if way == "rm":
            bgt("rm", *self.dice.sample(there, min(3, len(there))))
        elif way == "gc":
            bgt("gc", BGT_KEEP_ENDED="3")
        else:
            id = self.dice.choice(there)
            if not os.path.exists(f"{self.root}/active/{id}"):
                shutil.rmtree(f"{self.root}/tasks/{id}", ignore_errors=True)

    def play(self) -> list[str]:
        self("queue", "set", "default", f"slots={SLOTS}")
        text = f'echo "+ $BGT_TASK_ID" >> {self.log}; sleep 0.00$((BGT_TASK_ID % 7)); echo "- $BGT_TASK_ID" >> {self.log}'
        ids: list[str] = []
        half = self.args.tasks // 2
        ids += self("submit", *(["--rm"] if self.args.removal else []), "--array", f"1-{half}", "-c", text).split()
        ids += self("submit", "--array", f"1-{self.args.tasks - half}", "-c", text).split()
        deadline = time.monotonic() + 120 + self.args.tasks * 0.02
        while True:
            time.sleep(self.args.every / 1000)
            self.kill_one(lambda name: not self.args.only or self.args.only in name)
            if self.args.removal and self.dice.random() < 0.3:
                self.remove_some()
            if self.dice.random() < 0.05:
                state = json.loads(self("queue", "--json"))["queues"]
                if all(q["waiting"] == 0 and q["running"] == 0 for q in state):
                    break
            if time.monotonic() > deadline:
                return ["not over in time: " + self("queue")]
        return self.judge(ids)

    def judge(self, ids: list[str]) -> list[str]:
        end = time.monotonic() + 20
        while os.path.exists(f"{self.root}/queue/journal") and time.monotonic() < end:
            self("ps")
            time.sleep(0.05)
        wrong = []
        if os.path.exists(f"{self.root}/queue/journal"):
            wrong.append("the journal is not given up")
        told = {str(t["id"]): t for t in json.loads(self("ps", "-a", "--json"))["tasks"]}
        # A child that is not yet the command is called bgt, too: what was killed then says nothing of its end.
        shot = {id for id, task in told.items() if task["outcome"] and task["outcome"]["kind"] == "signaled"}
        began, running, most = Counter(), set(), 0
        for line in Path(self.log).read_text().splitlines():
            sign, id = line.split()
            if sign == "+":
                began[id] += 1
                if id not in shot:
                    running.add(id)
                most = max(most, len(running))
            else:
                running.discard(id)
        wrong += [f"{id} began {times} times" for id, times in began.items() if times > 1]
        outcomes: Counter = Counter()
        unheard = 0  # of what is removed: a killed child that was not yet the command is among them
        for id in ids:
            task = told.get(id)
            kind = task["outcome"]["kind"] if task and task["outcome"] else None
            outcomes[kind] += 1
            if self.args.removal and not task:
                unheard += began[id] == 0
            elif kind is None:
                wrong.append(f"{id} is {'not told at all' if not task else task['lifecycle']}")
            elif kind == "not-started":
                wrong.append(f"{id} was not started: {task['outcome']}")
            elif began[id] == 0 and kind == "exited":
                wrong.append(f"{id} is told as exited, and never began")
        if unheard > sum(self.killed.values()):
            wrong.append(f"{unheard} that are removed never began")
        # What a killed supervisor left runs on until it is adopted, beside nobody: it holds its slot.
        if most > SLOTS:
            wrong.append(f"{most} at once with {SLOTS} slots")
        print(f"{len(ids)} tasks, killed {dict(self.killed)}, outcomes {dict(outcomes)}, at most {most} at once")
        return wrong


def main() -> int:
    words = options(every=20)
    words.add_argument("--tasks", type=int, default=400)
    words.add_argument("--only", help="kill only processes with this in their name")
    words.add_argument("--removal", action="store_true", help="folders of ended tasks are removed meanwhile")
    return run(Waiting(words.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
