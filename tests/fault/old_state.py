#!/usr/bin/env python3
"""What each schema of the state root has left is read for ever after: tests/fixture/state-v1 holds three tasks that
ended, and one that was running when the machine was switched off.

    python3 tests/fault/old_state.py --bgt build/release/bgt
"""
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from lab import Lab, check, main

FIXTURES = Path(__file__).resolve().parent.parent / "fixture"


def copy(lab: Lab, schema: int) -> None:
    """Git keeps neither owners nor modes."""
    shutil.copytree(FIXTURES / f"state-v{schema}", lab.root, symlinks=True)
    for path in [lab.root, *lab.root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def is_read(args) -> None:
    with Lab(args.bgt) as lab:
        copy(lab, 1)
        tasks = {task["id"]: task for task in json.loads(lab.bgt("ps", "-a", "--json").must(0).out)["tasks"]}
        check(sorted(tasks) == [1, 2, 3, 4] and not any(task["problem"] for task in tasks.values()),
              f"all are listed: {tasks}")
        ends = {task: lab.show(str(task))["outcome"] for task in tasks}
        outcomes = {task: (end["kind"], end["reason"]) for task, end in ends.items()}
        check(outcomes == {1: ("exited", "self"), 2: ("signaled", "timeout"), 3: ("signaled", "self"), 4: ("lost",
              "self")},
              f"the outcomes are {outcomes}")
        for task, code in (("web", 3), ("2", 123), ("3", 139), ("api", 122)):
            lab.bgt("wait", "--timeout", "5", task).must(code)
        web, api = lab.show("web"), lab.show("api")
        check(web["tags"] == {"job": "e2e"} and web["command"] == ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"],
              f"{web}")
        check(web["started_at"].startswith("2026-11-21T10:37:") and 0 <= web["duration_s"] < 5, f"its dates: {web}")
        check(lab.show("3")["attempt"] == 2, "its attempts")
        check(api["kind"] == "service" and api["lifecycle"] == "lost", f"{api}")
        check("the machine restarted" in json.dumps(api["events"]), "why it is lost")


def its_logs_and_reports_are_read(args) -> None:
    with Lab(args.bgt) as lab:
        copy(lab, 1)
        check(lab.bgt("logs", "web").must(0).out == "out\n" and lab.bgt("logs", "--stderr",
              "web").must(0).out == "err\n", "logs")
        check(lab.bgt("logs", "3").must(0).out == "again\nagain\n", "the output of both attempts")
        check("2026-11-21" in lab.bgt("logs", "--timestamps", "web").must(0).out, "the dates of lines")
        check(lab.bgt("logs", "--grep", "^up$", "api").must(0).out == "up\n", "lines that match")
        report = lab.bgt("why", "--last", "api").must(0).out
        check("sleep (pid 9609) sleeps" in report, f"its report: {report}")


def it_goes_on_being_used(args) -> None:
    with Lab(args.bgt) as lab:
        copy(lab, 1)
        lab.bgt("kill", "--all").must(0)
        check(lab.start("--name", "api", "--", "true") == "5", "ids go on, the name is free")
        lab.bgt("wait", "5").must(0)
        lab.bgt("rm", "1").must(0)
        lab.bgt("show", "1").refused("no such task")
        lab.bgt("gc", "--keep", "0").must(0)
        check(lab.ids() == {"tasks": [], "active": [], "names": []}, f"something is left: {lab.ids()}")


if __name__ == "__main__":
    sys.exit(main([is_read, its_logs_and_reports_are_read, it_goes_on_being_used], __doc__.splitlines()[0]))
