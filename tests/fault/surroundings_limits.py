#!/usr/bin/env python3
"""Descriptors and processes run out (man 2 setrlimit): it works, or it is said why not and no trace is left.

    sudo python3 tests/fault/surroundings_limits.py --bgt build/release/bgt
"""
from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

from lab import Lab, check, eventually, is_alive, main, need_programs, need_root

USER = 61003


def limited(kind: int, most: int) -> dict:
    return {"preexec_fn": lambda: resource.setrlimit(kind, (most, most))}


def with_few_descriptors(args) -> None:
    """As many as a supervisor needs, and none to waste."""
    how = limited(resource.RLIMIT_NOFILE, 32)
    with Lab(args.bgt) as lab:
        branches = "i=0; while [ $i -lt 40 ]; do i=$((i + 1)); setsid sleep 1000 & done; echo all; wait"
        for options in ([], ["--split", "--stdin", "pipe", "--owner", str(os.getpid())], ["--output-timeout", "1h"],
                        ["--ready-log", "all", "--ready-port", "any"]):
            lab.start(*options, "-c", branches, **how)
        short = [lab.start("--", "true", **how) for _ in range(40)]
        eventually(lambda: all(lab.show(task, **how)["processes"] == 41 for task in "1234"), "all have their processes")
        check(len(json.loads(lab.bgt("ps", "-a", "--json", **how).must(0).out)["tasks"]) == 44, "all are listed")
        check(lab.bgt("logs", "1", "2", "3", "4", **how).must(0).out.count("all") == 4, "the logs of four")
        for task in short:
            lab.bgt("wait", "--timeout", "20", task, **how).must(0)
        ran = lab.bgt("wait", *short, **how)  # a record each is kept open
        check(ran.code == 0 or ran.refused("Too many open files") and "damaged" not in ran.err, str(ran))
        lab.bgt("wait", "--timeout", "0.2", "--any", "1", "2", "3", "4", **how).must(124)
        lab.bgt("why", "1", **how).must(0)
        for task in "12":
            lab.kill_supervisor(task)
            check(lab.show(task, **how)["adopted"], f"task {task} is taken over")
        lab.bgt("kill", "--now", "1", "3", **how).must(0)
        lab.bgt("kill", "2", "4", **how).must(0)
        lab.bgt("gc", "--keep", "0", **how).must(0)
        check(lab.ids() == {"tasks": [], "active": [], "names": []}, f"something is left: {lab.ids()}")


def with_too_few_descriptors(args) -> None:
    """Whatever the number: it works, or it is said why not, and no trace is left."""
    with Lab(args.bgt) as lab:
        lab.start("--", "true")
        lab.bgt("wait", "1").must(0)
        worked = 0
        for most in range(5, 33):
            how = limited(resource.RLIMIT_NOFILE, most)
            before = lab.ids()
            ran = lab.bgt("run", "--name", f"n{most}", "--", "sleep", "1000", **how)
            if ran.code != 0:
                ran.refused()
                check(most < 32, f"32 descriptors are not enough: {ran}")
                check(lab.ids() == before,
                      f"{most} descriptors: a failed run leaves {lab.ids()}: {ran}")
                continue
            worked += 1
            check("lost" not in lab.bgt("ps", "-a", **how).out, f"{most} descriptors: a living task is called dead")
            lab.bgt("kill", f"n{most}").must(0)
        check(worked > 0, "32 are not enough")
        lab.start("--", "sleep", "1000")
        supervisor = lab.show("-")["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
        for most in range(5, 33):
            ran = lab.bgt("show", "--json", "-", **limited(resource.RLIMIT_NOFILE, most))
            check('"lost"' not in ran.out, f"{most} descriptors: a living task is called dead: {ran}")
        lab.bgt("kill", "--all").must(0)


def processes_of(uid: int) -> int:
    """With those that are dead and not reaped yet: they count, too."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            found += entry.stat().st_uid == uid
        except OSError:
            pass
    return found


def without_processes(args) -> None:
    """RLIMIT_NPROC counts all processes of the user, so each number is tried from none to enough."""
    need_root()
    need_programs("prlimit")
    with Lab(args.bgt, USER) as lab:
        lab.start("--name", "old", "--", "true")
        lab.bgt("wait", "1").must(0)
        lab.start("--retries", "1", "--backoff", "100ms..1s", "--stdin", "pipe", "-c", "read x; exit 9")
        lab.start("--", "sleep", "1000")
        refused = worked = 0
        for room in range(0, 8):
            eventually(lambda: processes_of(USER) == 5, "two supervisors, two commands and the keeper of a stdin are what the user has")
            before = lab.ids()
            how = limited(resource.RLIMIT_NPROC, 5 + room)
            ran = lab.bgt("run", "--name", f"n{room}", "--", "sleep", "1000", **how)
            if ran.code == 0:
                worked += 1
                lab.bgt("kill", f"n{room}").must(0)
                continue
            refused += 1
            ran.refused("Resource temporarily unavailable")
            check(lab.ids() == before, f"{room} processes to spare: a failed run leaves a trace: {lab.ids()}")
        check(refused > 0 and worked > 0, f"{refused} refused, {worked} worked: both should have been seen")
        take_all_processes(lab)
        lab.bgt("kill", "--all").must(0)


def take_all_processes(lab: Lab) -> None:
    """Living supervisors at their limit: a report and a further attempt need a process."""
    for task in "23":
        lab.run(["prlimit", "--nproc=1:1", "--pid", str(lab.show(task)["supervisor"])]).must(0)
    ran = lab.bgt("why", "3", timeout=20)
    check(ran.code in (0, 125) and ran.err.count("\n") <= 2, f"a report without a process for it: {ran}")
    began = time.monotonic()
    lab.bgt("send", "2", "x").must(0)
    lab.bgt("wait", "--timeout", "20", "2", timeout=30).must(126)
    check(time.monotonic() - began < 10, "the end of attempts that can't start is told at once")
    task = lab.show("2")
    check(task["outcome"]["kind"] == "failed-to-start", f"an attempt that could not start: {task['outcome']}")
    check(lab.show("3")["lifecycle"] == "running", "the other goes on")


if __name__ == "__main__":
    sys.exit(main([with_few_descriptors, with_too_few_descriptors, without_processes], __doc__.splitlines()[0]))
