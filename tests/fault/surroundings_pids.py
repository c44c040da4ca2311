#!/usr/bin/env python3
"""Pids come again while tasks are ended: no signal of bgt ever hits a stranger.

    sudo python3 tests/fault/surroundings_pids.py --bgt build/release/bgt --strangers 10000
"""
from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from lab import Lab, Ran, Skipped, check, main, need_programs, need_root, process


def pids_come_again(args) -> None:
    """In a pid namespace of some hundred pids thousands of strangers come and go beside tasks that are ended."""
    need_root()
    need_programs("unshare")
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    if release < (6, 14):
        raise Skipped("kernel.pid_max belongs to the whole machine before Linux 6.14")
    # The shell is the first process of the namespace, which reaps what nobody waits for.
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", '"$@" & wait $!', "init",
             sys.executable, os.path.abspath(__file__), "--bgt", args.bgt,
             "--in-small-space", str(args.strangers), "--seed", str(args.seed)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if done.stderr.startswith("unshare:"):
        raise Skipped(f"no pid namespace: {done.stderr.strip()}")
    check(done.returncode == 0, f"seed {args.seed}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    print(f"  {done.stdout.strip()}")


class Strangers(threading.Thread):
    """Processes that live for some milliseconds and must end by themselves. What a signal does to them is seen."""

    def __init__(self, wanted: int, seed: int) -> None:
        super().__init__()
        self.wanted = wanted
        self.random = random.Random(seed)
        self.count = 0
        self.hit: list[str] = []
        self.pids: set[int] = set()

    def run(self) -> None:
        living: set[int] = set()
        while self.count < self.wanted or living:
            while len(living) < 40 and self.count < self.wanted:
                try:
                    living.add(self.one())
                except OSError:  # no pid is free just now
                    break
                self.count += 1
            for pid in list(living):
                found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
                if found == 0:
                    continue
                if os.WIFSTOPPED(status):
                    self.hit.append(f"{pid} was stopped")
                    os.kill(pid, signal.SIGKILL)
                    continue
                living.discard(pid)
                if status != 0:
                    self.hit.append(f"{pid} ended with {os.waitstatus_to_exitcode(status)}")
            time.sleep(0.0005)

    def one(self) -> int:
        span = self.random.choice((0, 0.002, 0.02, 0.2))
        pid = os.fork()
        if pid:
            self.pids.add(pid)
            return pid
        for number in (signal.SIGCONT, signal.SIGHUP):  # which would do nothing to be seen
            signal.signal(number, lambda *_: os._exit(77))
        time.sleep(span)
        os._exit(0)


def small_space(args) -> int:
    Path("/proc/sys/kernel/pid_max").write_text("420")
    strangers = Strangers(args.in_small_space, args.seed)
    rounds = 0
    with Lab(args.bgt) as lab:
        strangers.start()
        dice = random.Random(args.seed)
        while strangers.is_alive():
            rounds += small_round(lab, dice)
        left = [pid for pid in lab.members() if process(pid)]
    print(f"{strangers.count} strangers had {len(strangers.pids)} pids; {rounds} tasks were ended beside them", end="")
    if strangers.hit or left:
        print(f"; {len(strangers.hit)} strangers were hit: {strangers.hit[:5]}; left: {left}")
        return 1
    print()
    return 0


def patiently(lab: Lab, *words: str) -> Ran:
    """For a moment no pid may be free, for bgt or for one of its own processes."""
    deadline = time.monotonic() + 30
    while True:
        try:
            ran = lab.bgt(*words)
        except BlockingIOError:
            ran = None
        if ran and ran.code == 0:
            return ran
        check(time.monotonic() < deadline, f"{words}: {ran}")


def small_round(lab: Lab, dice: random.Random) -> int:
    """Tasks that fork all the time, some of them without their supervisor, are ended."""
    ids = [patiently(lab, "run", "--grace", "50ms", "-c", dice.choice((
        "while :; do /bin/true; done", "trap '' TERM; while :; do (exit 0); done",
        "while :; do setsid sleep 0.01 & sleep 0.01; done", "exec sleep 1000"))).out.strip() for _ in range(3)]
    time.sleep(dice.random() * 0.05)
    for task in ids:
        supervisor = json.loads(patiently(lab, "show", "--json", task).out)["tasks"][0]["supervisor"]
        if dice.random() < 0.4 and supervisor:
            os.kill(supervisor, signal.SIGKILL)
    for task in ids:
        patiently(lab, "kill", *dice.choice(((), ("--now",))), task)
    return len(ids)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--strangers", type=int, default=10000, help="how many come and go")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options.add_argument("--in-small-space", type=int, metavar="N", help=argparse.SUPPRESS)
    if "--in-small-space" in sys.argv:
        options.add_argument("--bgt")
        sys.exit(small_space(options.parse_args()))
    sys.exit(main([pids_come_again], "", options))
