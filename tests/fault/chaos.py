"""What the tests share that kill processes of bgt again and again, while others work in the same root."""
from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Callable

FIXED_NAMES = ("bgt:dispatcher", "bgt:standby")


def bgt_processes(root: str) -> list[tuple[int, str]]:
    """The processes of bgt that work in this root: those whose working files lie there."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            name = Path(f"/proc/{entry}/comm").read_text().strip()
            if not name.startswith("bgt"):
                continue
            if any(os.readlink(f"/proc/{entry}/fd/{fd}").startswith(root) for fd in os.listdir(f"/proc/{entry}/fd")):
                found.append((int(entry), name))
        except OSError:
            continue
    return found


class Chaos:
    """A root of its own, and dice. play(), which each test has, tells what was wrong."""

    def __init__(self, args: argparse.Namespace, name: str, timeout: float = 120, **environment: str):
        self.args, self.timeout = args, timeout
        self.folder = tempfile.mkdtemp(prefix=f"{name}-chaos-")
        self.root, self.log = f"{self.folder}/root", f"{self.folder}/log"
        self.dice = random.Random(args.seed)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "BGT_ROOT": self.root, **environment}
        self.killed: Counter = Counter()

    def __call__(self, *words: str) -> str:
        done = subprocess.run([self.args.bgt, *words], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=self.timeout)
        if done.returncode != 0:
            raise SystemExit(f"bgt {' '.join(words)[:100]} -> {done.returncode} {done.stderr[:300]}")
        return done.stdout

    def kill_one(self, is_wanted: Callable[[str], bool]) -> None:
        """One of the processes of such a name, by SIGKILL."""
        candidates = [p for p in bgt_processes(self.root) if is_wanted(p[1])]
        if not candidates:
            return
        pid, name = self.dice.choice(candidates)
        try:
            os.kill(pid, signal.SIGKILL)
            self.killed[name if name in FIXED_NAMES else "supervisor"] += 1
        except ProcessLookupError:
            pass

    def play(self) -> list[str]:
        raise NotImplementedError


def options(every: float) -> argparse.ArgumentParser:
    """What each of these tests takes; `every` is a default."""
    out = argparse.ArgumentParser()
    out.add_argument("--bgt", required=True, type=os.path.abspath)
    out.add_argument("--every", type=float, default=every, help="milliseconds between two kills")
    out.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return out


def run(chaos: Chaos) -> int:
    """Plays, tells what was wrong, and returns the exit code."""
    wrong = chaos.play()
    for line in wrong[:20]:
        print(f"FAILED (seed {chaos.args.seed}): {line}")
    if wrong:
        print(f"    left for a look: {chaos.folder}")
    else:
        shutil.rmtree(chaos.folder)
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0
