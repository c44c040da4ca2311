#!/usr/bin/env python3
"""Rounds of start and kill with random timing, several at once: no process may be left, no outcome may be wrong.

    python3 tests/fault/rounds.py --bgt build/release/bgt --rounds 10000 --jobs 8

A round starts one kind of tree, waits a random moment, and ends it in a random way; a third of the trees fork all the
time, also while they are being killed. A failure prints its number and the seed, with which --only plays it again."""
import argparse
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from process_table import environment, processes  # noqa: E402

MARK = "BGT_FAULT_MARK"
DEADLINE = 40.0
FORKERS = (
    # A chain: each process starts the next one and ends.
    "f() { ( f ) & exit 0; }; trap '' HUP; ( f ) & wait; sleep 300",
    # Many short ones, from a process that does not listen to the stop signal.
    "trap '' TERM; while :; do sleep 0.01 & sleep 0.002; done",
    # Daemons: another session and no parent.
    "while :; do setsid sh -c 'sleep 300 & sleep 0.05' & sleep 0.005; done",
)
TREES = (
    "sleep 300",
    "sleep 0.05; exit 7",
    "exit 7",
    "trap 'exit 3' TERM; sleep 300 & wait $!",
    "trap '' TERM; sleep 300; sleep 300",
    "setsid sleep 300 & setsid setsid sleep 300 & sleep 300",
    "head -c 8M /dev/zero; sleep 300",      # so loud that its output goes through a stage
) + FORKERS
CODES = {1: 7, 2: 7}            # what ends by itself, and how
WAYS = ("kill", "kill --now", "kill twice", "replace", "rm --force", "supervisor killed")


class Wrong(Exception):
    """Something lives, or bgt says what is not so."""


class Round:
    def __init__(self, bgt: str, root: str, number: int, seed: int, trees: list, ways: list):
        self.bgt, self.number, self.trees, self.ways = bgt, number, trees, ways
        self.dice = random.Random(f"{seed}:{number}")
        self.mark = f"{os.path.basename(root)}-{number}"
        self.env = {"PATH": os.environ["PATH"], "HOME": root, "BGT_ROOT": root}

    def __call__(self, *argv: str, good: tuple = (0,)) -> str:
        try:
            done = subprocess.run([self.bgt, *argv], env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=DEADLINE, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            raise Wrong(f"bgt {argv[0]} hangs") from None
        if done.returncode not in good:
            raise Wrong(f"bgt {' '.join(argv)[:80]} -> {done.returncode} {done.stdout[:200]!r} {done.stderr[:300]!r}")
        return done.stdout

    def run(self, tree: int, *options: str) -> str:
        marked = ("--name", f"n{self.number}", "--env", f"{MARK}={self.mark}")
        return self("run", *marked, *options, "-c", TREES[tree]).strip()

    def told(self, id: str) -> dict:
        return json.loads(self("show", "--json", id))["tasks"][0]

    def play(self) -> str:
        """The description of the round; raises Wrong."""
        tree, way = self.dice.choice(self.trees), self.dice.choice(self.ways)
        id = self.run(tree, "--stop-signals", "TERM:100ms", "--leftover", self.dice.choice(("kill", "wait")))
        if self.dice.random() < 0.8:
            time.sleep(self.dice.random() ** 3 * 0.15)
        killed_supervisor = way == "supervisor killed" and self.kill_supervisor(id)
        id = self.end(way, id, tree)
        left = living(self.mark)
        if left:
            raise Wrong(f"after {way} of '{TREES[tree]}' there lives {left}")
        if id:
            self.judge(id, tree, killed_supervisor)
            self("rm", id)
        return f"{way} of '{TREES[tree]}'"

    def kill_supervisor(self, id: str) -> bool:
        supervisor = self.told(id)["supervisor"]
        if supervisor is None:
            return False
        try:
            os.kill(supervisor, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def end(self, way: str, id: str, tree: int) -> str:
        """Ends the task in this way; the id to be judged, or "" when it is gone."""
        gone = (0, 125)     # it may have ended before
        if way == "kill --now":
            self("kill", "--now", id, good=gone)
        elif way == "kill twice":
            first = subprocess.Popen([self.bgt, "kill", id], env=self.env, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self("kill", id, good=gone)
            if first.wait(DEADLINE) not in gone:
                raise Wrong(f"the first of two kills ended with {first.returncode}")
        elif way == "replace":
            next_id = self.run(0, "--replace")
            if self.told(id)["lifecycle"] not in ("ended", "lost"):
                raise Wrong("it was replaced, and has not ended")
            self("kill", next_id)
            self("rm", next_id)
        elif way == "rm --force":
            self("rm", "--force", id)
            return ""
        else:
            self("kill", id, good=gone)
        return id

    def judge(self, id: str, tree: int, killed_supervisor: bool) -> None:
        told = self.told(id)
        outcome = told["outcome"]
        said = f"of '{TREES[tree]}' there is told {told['lifecycle']} {outcome}"
        if told["lifecycle"] not in ("ended", "lost") or not outcome:
            raise Wrong(said)
        if outcome["kind"] == "lost" and not killed_supervisor:
            raise Wrong(said)
        by_itself = outcome["kind"] == "exited" and outcome["code"] == CODES.get(tree)
        on_request = outcome["reason"] in ("killed", "self") and (
            outcome["kind"] == "signaled" and outcome["signal"] in ("SIGTERM", "SIGKILL") or
            outcome["kind"] == "exited" and outcome["code"] == (3 if tree == 3 else 143) and tree not in CODES)
        if not (by_itself or on_request or outcome["kind"] == "lost"):
            raise Wrong(said)
        self("wait", id, good=(outcome["exit_code"],))


def living(mark: str) -> list:
    return [pid for pid in processes() if f"{MARK}={mark}".encode() in environment(pid)]


def play_round(job: tuple) -> tuple:
    one = Round(*job)
    number = one.number
    try:
        return number, "", one.play()
    except Wrong as wrong:
        return number, str(wrong), ""
    finally:
        for pid in living(one.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bgt", default="build/release/bgt")
    parser.add_argument("--rounds", type=int, default=10000)
    parser.add_argument("--jobs", type=int, default=8, help="rounds at once")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--tree", type=int, action="append", choices=range(len(TREES)), help="only this kind of tree")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this way to end it")
    parser.add_argument("--only", type=int, action="append", help="the number of a round")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    bgt, began = os.path.abspath(options.bgt), time.monotonic()
    root = tempfile.mkdtemp(prefix="fault-rounds-")
    numbers = options.only or range(1, options.rounds + 1)
    print(f"seed {options.seed}", flush=True)
    failed = passed = 0
    with multiprocessing.Pool(options.jobs) as pool:
        kinds = options.tree or list(range(len(TREES))), options.way or list(WAYS)
        jobs = ((bgt, root, number, options.seed, *kinds) for number in numbers)
        for number, wrong, _ in pool.imap_unordered(play_round, jobs):
            passed += not wrong
            failed += bool(wrong)
            if wrong:
                print(f"FAILED round {number}: {wrong}\n    --seed {options.seed} --only {number}", flush=True)
    ids = sorted(int(name) for name in os.listdir(f"{root}/tasks"))
    active = os.listdir(f"{root}/active")
    if not failed and (ids or active):
        failed += 1
        print(f"FAILED at the end: tasks {ids} and markers {active} are left")
    shutil.rmtree(root, ignore_errors=True)
    print(f"{passed + failed} rounds in {time.monotonic() - began:.0f} s\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
