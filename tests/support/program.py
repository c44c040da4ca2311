"""What the tests of a program that talks to other programs have in common: a place where it works, and how they are run."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import traceback
from pathlib import Path

PATIENCE = 30.0


class Problem(Exception):
    """What should hold does not."""


def check(condition, what) -> None:
    if not condition:
        raise Problem(str(what))


class Lab:
    """A home, a state root and a folder to work in."""

    def __init__(self, folder: Path, bgt: str):
        self.folder, self.bgt = folder, os.path.abspath(bgt)
        (folder / "home").mkdir()
        (folder / "work").mkdir()
        self.work, self.root = folder / "work", folder / "root"
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder / "home"),
            "LC_ALL": "C.UTF-8",
            "BGT_ROOT": str(self.root),
        }

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [self.bgt, *words],
            env=self.env,
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
        )
        self.errors = done.stderr.decode()
        return done.stdout.decode()

    def start(self, *words: str) -> int:
        return int(self.run("run", *words))

    def task(self, task_id: int) -> dict:
        return json.loads(self.run("show", "--json", str(task_id)))["tasks"][0]

    def await_end(self, task_id: int, seconds: float = PATIENCE) -> dict:
        deadline = time.monotonic() + seconds
        while True:
            task = self.task(task_id)
            if task["lifecycle"] == "ended":
                return task
            check(time.monotonic() < deadline, f"task {task_id} goes on: {task['lifecycle']}")
            time.sleep(0.05)


def run_tests(program: str, *modules) -> int:
    """Each test_... of the modules, in a lab of its own; with `eras`, once with each of them. Prints what failed, and
    returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    tests = [
        (name, test, era)
        for module in modules
        for name, test in vars(module).items()
        if name.startswith("test_") and args.only in name
        for era in getattr(test, "eras", (None,))
    ]
    failed = 0
    for name, test, era in tests:
        with tempfile.TemporaryDirectory(prefix=f"bgt-{program}-") as folder:
            lab = Lab(Path(folder), args.bgt)
            try:
                test(lab, *([era] if era else []))
            except Exception as error:  # each is told, and the others go on
                failed += 1
                told = error if isinstance(error, Problem) else traceback.format_exc()
                where = traceback.extract_tb(error.__traceback__)
                line = next((f.lineno for f in where if f.name == name), 0)
                print(f"{name[5:]} {era or ''}".strip(), f"(line {line}): {told}")
            finally:
                lab.run("kill", "--now", "--all")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0
