#!/usr/bin/env python3
"""Faults at every system call: a scenario is played again and again, and at the n-th call of the verb, or of the
supervisor that it starts, that process is killed (SIGKILL), or that one call fails (no space, no descriptor, no memory,
a signal). After each shot what must always be so is looked at from outside.

    python3 tests/fault/syscalls.py --bgt build/release/bgt --sample 500    a seeded sample
    python3 tests/fault/syscalls.py --bgt build/release/bgt --full          every call, every fault
    python3 tests/fault/syscalls.py --bgt build/release/bgt --replay stop:supervisor:40:kill
"""
import argparse
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback

import invariants
import tracer
from harness import Failure, Shot, Stage
from scenarios import SCENARIOS

TARGETS = ("cli", "supervisor")


def play(bgt: str, shot: Shot) -> tuple:
    """One shot: what does not hold (empty: all does), the call that was hit, the calls (where they are listed)."""
    stage = Stage(bgt, shot)
    wrong = ""
    try:
        SCENARIOS[shot.scenario](stage)
        invariants.check(stage)
    except Failure as failure:
        wrong = str(failure)
    except Exception:       # the harness' own: told like a failure, and not passed over
        wrong = "the harness itself: " + traceback.format_exc(limit=-3)
    finally:
        stage.close()
    return wrong, stage.hit, stage.calls


def play_job(job: tuple) -> tuple:
    bgt, shot = job
    return shot, *play(bgt, shot)


def list_shots(bgt: str, scenarios: list) -> list:
    """Every shot there is, from one run of each scenario without a fault."""
    shots = []
    for scenario in scenarios:
        for target in TARGETS:
            wrong, _, calls = play(bgt, Shot(scenario, target))
            if wrong:
                sys.exit(f"{scenario} fails without any fault, as {target}: {wrong}")
            for number, (_, errors) in enumerate(calls, 1):
                shots += [Shot(scenario, target, number, fault) for fault in ("kill", *errors)]
            print(f"{scenario:12} {target:10} {len(calls):4} calls", flush=True)
    return shots


def sample(shots: list, seed: int, most: int) -> list:
    """As many of each scenario and target: a walk through /proc has thousands of calls, all alike."""
    groups: dict = {}
    for shot in shots:
        groups.setdefault((shot.scenario, shot.target), []).append(shot)
    dice = random.Random(seed)
    for group in groups.values():
        dice.shuffle(group)
    chosen: list = []
    while len(chosen) < most and any(groups.values()):
        chosen += [group.pop() for group in groups.values() if group]
    return chosen[:most]


def replayed(text: str) -> Shot:
    scenario, target, call, fault = text.split(":")
    return Shot(scenario, target, int(call), fault)


class Count:
    def __init__(self, bgt: str):
        self.bgt = bgt
        self.passed = self.missed = self.again = 0
        self.failed: list = []

    def take(self, shot: Shot, wrong: str, hit: str) -> None:
        if wrong:
            print(f"again, alone: {shot.words()} ({hit}): {wrong}", flush=True)
            self.failed.append((shot, wrong, hit))
        elif not hit:
            self.missed += 1
        else:
            self.passed += 1

    def play_again(self) -> None:
        """What failed beside others is played alone: a machine under load may miss a deadline, once."""
        failed, self.failed = self.failed, []
        for shot, first, _ in failed:
            wrong, hit, _ = play(self.bgt, shot)
            if not wrong:
                self.again += 1
                self.passed += 1
                print(f"passed alone: {shot.words()}: {first}")
                continue
            self.failed.append((shot, wrong, hit))
            print(f"FAILED {shot.words()} ({hit}): {wrong}\n    --replay {shot.words()}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bgt", default="build/release/bgt")
    parser.add_argument("--sample", type=int, default=500, help="so many shots, chosen by the seed")
    parser.add_argument("--full", action="store_true", help="all shots")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--replay", action="append", help="SCENARIO:TARGET:CALL:FAULT")
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--jobs", type=int, default=3, help="shots at once")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    bgt = os.path.abspath(options.bgt)
    reason = tracer.why_not()
    if reason:
        print(f"skipped: faults at system calls: {reason}\n0 passed, 0 failed, 1 skipped")
        return 0
    if options.replay:
        shots = [replayed(text) for text in options.replay]
    else:
        shots = list_shots(bgt, options.scenario or list(SCENARIOS))
        print(f"{len(shots)} shots; seed {options.seed}", flush=True)
        shots = sample(shots, options.seed, len(shots) if options.full else options.sample)
    count, began = Count(bgt), time.monotonic()
    with multiprocessing.Pool(options.jobs, signal.signal, (signal.SIGINT, signal.SIG_DFL)) as pool:
        results = pool.imap_unordered(play_job, [(bgt, shot) for shot in shots])
        for number, (shot, wrong, hit, _) in enumerate(results, 1):
            count.take(shot, wrong, hit)
            if number % 1000 == 0:
                print(f"{number} of {len(shots)} after {time.monotonic() - began:.0f} s", flush=True)
    count.play_again()
    print(f"{len(shots)} shots in {time.monotonic() - began:.0f} s; {count.missed} came too late to hit anything; "
          f"{count.again} passed only when played alone")
    print(f"{count.passed} passed, {len(count.failed)} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
