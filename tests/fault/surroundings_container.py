#!/usr/bin/env python3
"""A container without an init: its first process reaps nobody but its own children. And a machine full of strangers: a look
at a task costs what its tree has.

    sudo python3 tests/fault/surroundings_container.py --bgt build/release/bgt
"""
from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from lab import Lab, Skipped, check, eventually, main, need_programs, need_root

USER = 61004
STRANGERS = 2000


def inside(args, what) -> None:
    """The function in a pid namespace, as the children of its first process: this script."""
    need_root()
    need_programs("unshare")
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, os.path.abspath(__file__),
             "--bgt", args.bgt, "--inside", what.__name__]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.stderr.startswith("unshare:"):
        raise Skipped(f"no pid namespace: {done.stderr.strip()}")
    check(done.returncode == 0, f"{done.stdout[-1500:]}{done.stderr[-1500:]}")


def zombies() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition(") ")
        except OSError:
            continue
        if rest.startswith("Z"):
            found.append(name)
    return found


def none_is_left(bgt: str) -> None:
    with Lab(bgt) as lab:
        lab.root.mkdir(mode=0o700)
        (lab.root / "next-id").write_text("60\n")  # number 64 tidies, by a helper
        tails = ["--", "true"], ["-c", "exit 3"], ["--stdin", "pipe", "-c", "exit 0"], ["--split", "-c", "echo a; echo b >&2"]
        for tail in (*tails, *tails):
            lab.bgt("run", "--wait", "--rm", *tail).must(0, 3)
        lab.bgt("run", "--wait", "-c", "head -c 30000000 /dev/zero").must(0)  # by way of a stage, which has a keeper
        lab.bgt("run", "--wait", "--ready-log", "never", "-c", "echo a").must(0)
        lab.bgt("run", "--wait", "--ready-cmd", "false", "-c", "sleep 0.3; (sleep 0.1 &)").must(0)
        lab.bgt("run", "--wait", "--timeout", "200ms", "--", "sleep", "100").must(123)
        lab.bgt("run", "--wait", "--output-timeout", "300ms", "--", "sleep", "100").must(120)
        lab.bgt("run", "--stdin", "pipe", "--", "no-such-command").must(127)
        check(not zombies(), f"zombies are left: {zombies()}")


def limit_is_named(bgt: str) -> None:
    for _ in range(7):
        if os.fork() == 0:
            os._exit(0)
    eventually(lambda: len(zombies()) >= 7, "zombies that nobody reaps")
    with Lab(bgt, USER) as lab:
        lab.start("--name", "old", "--", "true")
        lab.bgt("wait", "old").must(0)
        ran = lab.bgt("run", "--", "sleep", "1000", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)))
        ran.refused("Resource temporarily unavailable", "ulimit -u", "pids.max", "zombies", "docker run --init")


def cpu_of(action, times: int) -> float:
    """What the children of this process use for it, the best of some tries."""
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(times):
            action()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best / times


def strangers_cost_nothing(bgt: str) -> None:
    with Lab(bgt) as lab:
        for _ in range(10):
            lab.start("-c", "sleep 1000 & sleep 1000")
        looks = {"ps": ["ps"], "show": ["show", "1"], "wait": ["wait", "--timeout", "1ms", "1"]}
        few = {name: cpu_of(lambda: lab.bgt(*words), 20) for name, words in looks.items()}
        crowd = subprocess.Popen([sys.executable, "-c", "import os, signal, sys\nfor _ in range(int(sys.argv[1])):\n"
                                  " if os.fork() == 0:\n  signal.pause()\nprint('there', flush=True)\nsignal.pause()",
                                  str(STRANGERS)], stdout=subprocess.PIPE, start_new_session=True)
        try:
            check(crowd.stdout.readline() == b"there\n", "the crowd is there")
            many = {name: cpu_of(lambda: lab.bgt(*words), 20) for name, words in looks.items()}
        finally:
            os.killpg(crowd.pid, signal.SIGKILL)
            crowd.wait()
        told = ", ".join(f"{name} {few[name] * 1000:.2f} -> {many[name] * 1000:.2f} ms" for name in looks)
        print(told)
        for name in looks:
            check(many[name] <= 1.3 * few[name], f"{STRANGERS} strangers make it slow: {told}")
        lab.bgt("kill", "--all").must(0)


def waits_leave_no_zombies(args) -> None:
    inside(args, none_is_left)


def message_names_the_limit_and_a_missing_init(args) -> None:
    inside(args, limit_is_named)


def a_look_costs_what_the_tree_has(args) -> None:
    inside(args, strangers_cost_nothing)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--inside", help=argparse.SUPPRESS)
    if "--inside" in sys.argv:
        options.add_argument("--bgt")
        parsed = options.parse_args()
        globals()[parsed.inside](parsed.bgt)
        sys.exit(0)
    sys.exit(main([waits_leave_no_zombies, message_names_the_limit_and_a_missing_init, a_look_costs_what_the_tree_has], "", options))
