#!/usr/bin/env python3
"""An older bgt and this one side by side: the verbs of one drive tasks that the other has started, and the reverse.

    python3 tests/fault/versions.py --old older/bgt --new build/release/bgt
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys

from lab import Lab, Ran, check, eventually, is_alive, main


class Both:
    """A root that both binaries use: `first` has started what `second` drives."""

    def __init__(self, first: str, second: str) -> None:
        self.lab = Lab(first)
        self.other = self.lab.folder / "other"
        shutil.copy(second, self.other)

    def __enter__(self) -> Both:
        return self

    def __exit__(self, *what) -> None:
        self.lab.__exit__(*what)

    def start(self, *words: str) -> str:
        return self.lab.start(*words)

    def then(self, *words: str, **how) -> Ran:
        return self.lab.run([str(self.other), *words], **how)

    def show(self, task: str) -> dict:
        return json.loads(self.then("show", "--json", task).must(0).out)["tasks"][0]


def in_both_directions(test) -> list:
    def old_supervisor(args) -> None:
        with Both(args.old, args.bgt) as both:
            test(both)

    def new_supervisor(args) -> None:
        with Both(args.bgt, args.old) as both:
            test(both)

    old_supervisor.__name__ = f"{test.__name__}_of_an_older_bgt"
    new_supervisor.__name__ = f"{test.__name__}_of_this_one_by_an_older"
    return [old_supervisor, new_supervisor]


def a_living_task_is_driven(both: Both) -> None:
    command = ("-c", "echo begin; read x; echo got $x; cat; exit 7")
    both.start("--name", "web", "--tag", "k=v", "--stdin", "pipe", *command)
    task = both.show("web")
    check(task["lifecycle"] == "running" and task["tags"] == {"k": "v"} and not task["adopted"], f"it is seen: {task}")
    check("web" in both.then("ps").must(0).out, "it is listed")
    both.then("run", "--name", "web", "--", "true").refused("web")
    check(both.then("run", "--name", "web", "--if-absent", *command).must(0).out == "1\n", "its name is known")
    both.then("wait", "--timeout", "10", "--for", "log:begin", "web").must(0)
    both.then("wait", "--timeout", "0.2", "web").must(124)
    both.then("pause", "web").must(0)
    check(both.show("web")["paused"], "it is paused")
    both.then("resume", "web").must(0)
    both.then("signal", "CONT", "web").must(0)
    both.then("send", "web", "text").must(0)
    both.then("wait", "--timeout", "10", "--for", "log:got text", "web").must(0)
    both.then("send", "--eof", "web").must(0)
    both.then("wait", "--timeout", "10", "web").must(7)
    check(both.then("logs", "web").must(0).out == "begin\ngot text\n", "its output")
    check(both.show("web")["outcome"]["code"] == 7, "its end")
    both.then("rm", "web").must(0)


def tasks_are_ended(both: Both) -> None:
    for options in ([], ["--grace", "100ms"], ["--split"], ["--timeout", "1h"], ["--leftover", "keep"]):
        both.start(*options, "-c", "trap '' TERM; setsid sleep 1000 & echo $! ready; while :; do sleep 0.1; done")
    for task in "12345":
        eventually(lambda: "ready" in both.lab.bgt("logs", task).out, "it is started")
    both.then("kill", "--now", "1").must(0)
    both.then("kill", "2", "3", "--grace", "100ms").must(0)
    both.then("kill", "--all", "--grace", "100ms").must(0)
    for task in "12345":
        both.then("wait", "--timeout", "10", task).must(137)
        check(both.show(task)["outcome"]["reason"] == "killed", f"task {task} was killed: {both.show(task)['outcome']}")
        check(both.lab.show(task)["outcome"]["reason"] == "killed", "and the first one says so, too")


def a_task_without_its_supervisor_is_taken_over(both: Both) -> None:
    both.start("--timeout", "1h", "-c",
               "echo first; setsid sleep 1000 & while [ ! -e $HOME/go ]; do sleep 0.02; done; echo last; wait")
    both.start("--", "sleep", "1000")
    for task in "12":
        supervisor = both.show(task)["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
        check(both.show(task)["adopted"], f"task {task} is taken over")
        check(both.lab.show(task)["lifecycle"] == "running", "and the first one sees it")
    (both.lab.home / "go").touch()
    eventually(lambda: both.then("logs", "1").must(0).out == "first\nlast\n", "the log goes on")
    both.then("kill", "1").must(0)
    both.lab.bgt("kill", "2").must(0)
    for task in "12":
        both.then("wait", task).must(122)


def ended_tasks_are_read(both: Both) -> None:
    both.start("-c", "echo out; exit 3")
    both.start("--timeout", "200ms", "--", "sleep", "1000")
    both.start("--name", "old", "--split", "-c", "echo out; echo err >&2; kill -SEGV $$")
    both.then("wait", "--timeout", "10", "1").must(3)
    both.then("wait", "--timeout", "10", "2").must(123)
    both.then("wait", "--timeout", "10", "3").must(139)
    for words in (["ps", "-a"], ["ps", "-a", "--json"], ["logs", "--timestamps", "1"], ["logs", "--since", "1h", "1"]):
        both.then(*words).must(0)
    check(both.then("logs", "--stderr", "3").must(0).out == "err\n", "its stderr")
    check(both.start("--name", "old", "--", "true") == "4", "ids go on")
    check(both.then("run", "--", "true").must(0).out == "5\n", "for both")
    both.then("wait", "--timeout", "10", "4", "5").must(0)
    both.then("gc", "--keep", "0").must(0)
    check(both.lab.bgt("ps", "-a", "-q").must(0).out == "", "all are removed")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--old", required=True, type=os.path.abspath, help="the binary of an earlier commit")
    tests = (a_living_task_is_driven, tasks_are_ended, a_task_without_its_supervisor_is_taken_over,
             ended_tasks_are_read)
    sys.exit(main([direction for test in tests for direction in in_both_directions(test)], "", options))
