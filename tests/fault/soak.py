#!/usr/bin/env python3
"""A thousand sleeping and twenty chattering tasks for twenty minutes: nothing of bgt grows, and who sleeps, sleeps.

    python3 tests/fault/soak.py --bgt build/release/bgt [--minutes 20] [--sleeping 1000] [--chattering 20]

A supervisor looks at its silent task each minute until it calls it `stalled`, after five, and then ever more rarely. The
first sample is taken after that; from then on private dirty memory, descriptors and context switches are compared."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SETTLED = 330           # seconds until the last notice of a silent task has been given
MOST_GROWTH_KB = 16     # of one supervisor: a page or two that the allocator had not touched yet
MOST_FDS = 0
MOST_WAKE_UPS = 6       # of a sleeping one in 20 minutes: four looks, each after half as long a silence again as there was
                        # before, and Asio's reactor, which sets its timer to five minutes at most
PATIENCE = 10           # seconds for a supervisor to end after its task
CHATTER = "i=0; while :; do i=$((i+1)); echo line $i of many; sleep 0.1; done"


class Machine:
    def __init__(self, bgt: str):
        self.bgt = os.path.abspath(bgt)
        self.root = tempfile.mkdtemp(prefix="soak-")
        self.env = dict(os.environ, BGT_ROOT=self.root)

    def __call__(self, *argv: str) -> str:
        done = subprocess.run([self.bgt, *argv], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bgt {' '.join(argv)}: {done.returncode} {done.stderr}")
        return done.stdout

    def supervisors(self) -> dict:
        """{task: pid}"""
        return {task["id"]: task["supervisor"] for task in json.loads(self("ps", "--json"))["tasks"]}


def sample(pid: int) -> dict:
    folder = pathlib.Path(f"/proc/{pid}")
    facts = {}
    for line in (folder / "smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        facts[name] = int(value.split()[0])
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return {"dirty": facts["Private_Dirty"], "fds": len(os.listdir(folder / "fd")),
            "wakes": int(status["voluntary_ctxt_switches"])}


def compare(name: str, before: dict, after: dict, minutes: float, wakes_bound: bool) -> list:
    """Prints what became of one kind of task, and returns what is wrong with it."""
    growth = {key: [after[task][key] - before[task][key] for task in before if task in after] for key in ("dirty", "fds", "wakes")}
    print(f"{name}: {len(before)} supervisors, {statistics.median(b['dirty'] for b in before.values()):.0f} kB private dirty, "
          f"{statistics.median(a['dirty'] for a in after.values()):.0f} after {minutes:.0f} minutes (most growth {max(growth['dirty'])} kB); "
          f"descriptors +{max(growth['fds'])}; wake-ups {sum(growth['wakes'])} in all, at most {max(growth['wakes'])} of one")
    wrong = []
    if len(after) != len(before):
        wrong.append(f"{len(before) - len(after)} supervisors are gone")
    if max(growth["dirty"]) > MOST_GROWTH_KB:
        wrong.append("memory grows")
    if max(growth["fds"]) > MOST_FDS:
        wrong.append("descriptors leak")
    if wakes_bound and max(growth["wakes"]) > MOST_WAKE_UPS:
        wrong.append("who should sleep wakes up")
    return [f"{name}: {text}" for text in wrong]


def soak(machine: Machine, options) -> list:
    quiet = {int(machine("run", "--", "sleep", "100000")) for _ in range(options.sleeping)}
    loud = {int(machine("run", "--log-max", "64K", "-c", CHATTER)) for _ in range(options.chattering)}
    print(f"{len(quiet)} sleep, {len(loud)} chatter; the first sample is taken in {SETTLED} s", flush=True)
    time.sleep(SETTLED)
    pids = machine.supervisors()
    first = {task: sample(pid) for task, pid in pids.items()}
    time.sleep(options.minutes * 60)
    last = {task: sample(pid) for task, pid in pids.items() if os.path.exists(f"/proc/{pid}")}
    wrong = []
    for name, tasks, bound in (("sleeping", quiet, True), ("chattering", loud, False)):
        wrong += compare(name, {t: first[t] for t in tasks}, {t: last[t] for t in tasks if t in last}, options.minutes, bound)
    if machine.supervisors() != pids:
        wrong.append("a supervisor was replaced")
    began = time.monotonic()
    machine("kill", "--all", "--now")
    print(f"all ended in {time.monotonic() - began:.1f} s")
    while (left := [pid for pid in pids.values() if os.path.exists(f"/proc/{pid}")]) and time.monotonic() < began + PATIENCE:
        time.sleep(0.1)
    return wrong + ([f"{len(left)} supervisors live on"] if left else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bgt", default="build/release/bgt")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--sleeping", type=int, default=1000)
    parser.add_argument("--chattering", type=int, default=20)
    options = parser.parse_args()
    machine = Machine(options.bgt)
    try:
        wrong = soak(machine, options)
    finally:
        subprocess.run([machine.bgt, "kill", "--all", "--now"], env=machine.env, capture_output=True)
        shutil.rmtree(machine.root, ignore_errors=True)
    for text in wrong:
        print(f"FAILED {text}")
    print(f"{0 if wrong else 1} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
