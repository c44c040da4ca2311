#!/usr/bin/env python3
"""A state folder proves nothing by itself: of a record that was copied or made up nobody is adopted, signalled or run.

    python3 tests/fault/records.py --bgt build/release/bgt     (as root some more is tried)
"""
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab import (ALICE, MALLORY, ROOT_PID, ROOT_START, SECRET, SUPERVISOR_PID, SUPERVISOR_START, Lab, Record, check, eventually,
                 is_alive, main, need_root, process)

VERBS = (["ps", "-a"], ["show", "1"], ["wait", "--timeout", "1", "1"], ["signal", "HUP", "1"], ["signal", "--tree", "KILL", "1"],
         ["pause", "1"], ["why", "1"], ["restart", "1"], ["send", "1", "x"], ["kill", "--now", "1"], ["kill", "--all"])


def own_lab(args) -> Lab:
    return Lab(args.bgt, os.geteuid())


def start_armed(lab: Lab) -> dict:
    """A task that would run something of its own soon, for any who takes it over."""
    # Not those of the task that `bgt restart` makes anew from it, as it was asked to.
    hook = f"exec:test $BGT_TASK_ID != 1 || touch {lab.folder}/hook-of-$(basename ${{BGT_TASK_DIR%/tasks/*}})"
    lab.start("--output-timeout", "300ms", "--on-hang", hook, "--on-end", hook[5:], "--restart", "always", "--name", "web", "-c", "sleep 1000 & sleep 1000")
    lab.bgt("signal", "STOP", "1").must(0)  # so that nothing of it changes by itself
    return lab.show("1")


def copy_of(lab: Lab) -> Path:
    root = lab.home / "copied"
    subprocess.run(["cp", "-a", str(lab.root), str(root)], check=True)
    return root


def show_in(lab: Lab, root: Path) -> dict:
    return json.loads(lab.bgt("--root", str(root), "show", "--json", "1").must(0).out)["tasks"][0]


def nothing_is_done(lab: Lab, root: Path, pids: list[int], state: str | None = None) -> None:
    """By no verb in this root: these processes live on as they are, nobody takes them over, nothing is run."""
    before = {pid: process(pid) for pid in pids}
    for verb in VERBS:
        ran = lab.bgt("--root", str(root), *verb, timeout=30)
        now = {pid: process(pid) for pid in pids}
        check(now == before, f"{before} have become {now} by {ran}")
    task = show_in(lab, root)
    check(task["lifecycle"] == "lost" and not task["adopted"] and task["outcome"]["kind"] == "lost", f"it is history: {task}")
    if state:
        table = lab.bgt("--root", str(root), "ps", "-a").must(0).out
        check(state in table, f"the row says what it is: {table}")
    time.sleep(0.5)  # a hook would have run by now; nothing tells of one that does not
    check(not (lab.folder / f"hook-of-{root.name}").exists(), "the hook of a record was run")


def a_copy_of_a_living_root_is_history(args) -> None:
    for killed in (False, True):
        with own_lab(args) as lab:
            task = start_armed(lab)
            if killed:
                os.kill(task["supervisor"], signal.SIGKILL)
                eventually(lambda: not is_alive(task["supervisor"]), "the supervisor is dead")
            root = copy_of(lab)
            nothing_is_done(lab, root, [task["pid"]], "copy")
            if not killed:
                eventually(lambda: (lab.folder / "hook-of-root").exists(), "the hook of the task itself is run")
            events = (root / "tasks/1/events.jsonl").read_text()
            check("this folder is a copy" in events, f"it says why: {events}")
            after = lab.show("1")
            check(after["adopted"] == killed and after["lifecycle"] in ("running", "stopping"), f"the task goes on: {after}")
            lab.bgt("kill", "--now", "1").must(0)


def a_copy_by_hard_links_is_history(args) -> None:
    """Its lock is held by the supervisor of the task itself, and its socket leads there."""
    with own_lab(args) as lab:
        task = start_armed(lab)
        root = lab.home / "copied"
        subprocess.run(["cp", "-al", str(lab.root), str(root)], check=True)
        nothing_is_done(lab, root, [task["pid"], task["supervisor"]], "copy")
        for words in (["kill", "web"], ["signal", "KILL", "web"], ["run", "--name", "web", "--replace", "--", "true"]):
            lab.bgt("--root", str(root), *words)
        lab.bgt("--root", str(root), "rm", "1").must(0)
        check(not (root / "tasks/1").exists() and is_alive(task["pid"]), "only the copy is removed")
        check(lab.show("1")["lifecycle"] == "running", f"the task goes on: {lab.show('1')}")
        lab.bgt("kill", "--now", "1").must(0)
        check(not is_alive(task["pid"]), "and can be ended")


def a_lock_that_is_no_file_of_ours_is_damage(args) -> None:
    """Neither held nor free: no verb takes the record for the truth, and none waits."""
    kinds = {"link": lambda lock: lock.symlink_to("/dev/null"), "link to nothing": lambda lock: lock.symlink_to("nothing"),
             "folder": lambda lock: lock.mkdir(), "FIFO": lambda lock: os.mkfifo(lock),
             "closed": lambda lock: (lock.touch(), lock.chmod(0))}
    for kind, plant in kinds.items():
        with Lab(args.bgt, ALICE if os.geteuid() == 0 else os.geteuid()) as lab:
            lab.start("--name", "web", "--", "sleep", "1000")
            root = copy_of(lab)
            lab.bgt("kill", "--now", "1").must(0)
            lock = root / "tasks/1/lock"
            lock.unlink()
            plant(lock)
            if os.geteuid() == 0:
                os.lchown(lock, ALICE, ALICE)
            for verb in (*VERBS, ["rm", "1"], ["rm", "--force", "1"], ["logs", "-f", "1"], ["wait", "1"], ["wait", "--or-stuck", "1"],
                         ["run", "--name", "web", "--replace", "--", "true"], ["gc"], ["ps", "--json", "-a"]):
                ran = lab.bgt("--root", str(root), *verb, timeout=10)
                check(ran.took < 4, f"{kind}: it has waited: {ran}")
            ran = lab.bgt("--root", str(root), "rm", "--force", "1").refused("lock")
            word = "unknown" if kind == "closed" else "damaged"
            table = lab.bgt("--root", str(root), "ps", "-a").must(0).out
            check(word in table, f"{kind}: the row says what it is: {table}")
            if lock.is_dir() and not lock.is_symlink():
                lock.rmdir()
            else:
                lock.unlink()
            lab.bgt("--root", str(root), "rm", "1").must(0)


def a_root_with_hard_links_writes_nothing_outside(args) -> None:
    """What an archive may unpack: names of files beside the root."""
    with own_lab(args) as lab:
        lab.start("--", "sleep", "1000")
        root = copy_of(lab)
        lab.bgt("kill", "--now", "1").must(0)
        outside = {}
        for name in ("next-id", "tasks/1/events.jsonl", "tasks/1/out.log", "names/.lock"):
            victim = lab.home / f"victim-{name.replace('/', '-')}"
            victim.write_text("precious\n")
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).unlink(missing_ok=True)
            os.link(victim, root / name)
            outside[victim] = victim.stat().st_mtime_ns
        for verb in (*VERBS, ["run", "--", "true"], ["gc"], ["rm", "1"], ["run", "--name", "x", "--", "true"]):
            lab.bgt("--root", str(root), *verb, timeout=20)
            for victim, date in outside.items():
                check(victim.read_text() == "precious\n" and victim.stat().st_mtime_ns == date, f"{victim} was written by {verb}")
        lab.bgt("--root", str(root), "run", "--", "true").refused("hard link")


def marks_of(pid: int) -> tuple[str, int]:
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    cookie = next(entry for entry in environment if entry.startswith(b"BGT_COOKIE=")).decode().partition("=")[2].split(":")[0]
    limits = Path(f"/proc/{pid}/limits").read_text()
    return cookie, int(re.search(r"realtime timeout +(\d+)", limits).group(1))


def make_up(lab: Lab, root: Path, victim: int, cookie: str, mark: int, secret: bytes) -> None:
    """A root with a record of a running task, of this process."""
    shutil.copytree(lab.root, root, symlinks=True, ignore=lambda folder, names: {"out", "err", "in", "ctl.sock"} & set(names))
    (root / "active/1").touch()
    spec = root / "tasks/1/spec.json"
    fields = json.loads(spec.read_text())
    fields["cookie"], fields["mark"] = cookie, mark
    spec.write_text(json.dumps(fields))
    record = Record(root / "tasks/1/status")
    seen = process(victim)
    for pid, start in ((ROOT_PID, ROOT_START), (SUPERVISOR_PID, SUPERVISOR_START)):
        record.put("<i", pid, victim)
        record.put("<Q", start, seen.start)
    record.put_bytes(SECRET, secret)
    record.write()


def a_record_made_up_for_a_stranger_is_history(args) -> None:
    with own_lab(args) as lab:
        task = start_armed(lab)
        root = lab.home / "made-up"
        stranger = lab.background(["setsid", "sleep", "1000"])
        eventually(lambda: os.getsid(stranger.pid) == stranger.pid, "it leads a session")
        make_up(lab, root, stranger.pid, "0" * 32, 1 << 61, bytes(16))
        os.mkfifo(root / "tasks/1/out", 0o600)
        holder = lab.background(["sh", "-c", f"exec 3<>{root}/tasks/1/out; exec sleep 1000"])
        eventually(lambda: Path(f"/proc/{holder.pid}/fd/3").exists() and Path(f"/proc/{holder.pid}/comm").read_text() == "sleep\n",
                   "it holds the FIFO")
        eventually(lambda: all(process(child.pid).state == "S" for child in (stranger, holder)), "both sleep")
        nothing_is_done(lab, root, [stranger.pid, holder.pid, task["pid"]])
        lab.bgt("kill", "--now", "1").must(0)


def a_record_made_up_with_the_marks_of_a_living_task_is_history(args) -> None:
    for secret in (bytes(16), b"0123456789abcdef"):
        with own_lab(args) as lab:
            task = start_armed(lab)
            root = lab.home / "made-up"
            make_up(lab, root, task["pid"], *marks_of(task["pid"]), secret)
            nothing_is_done(lab, root, [task["pid"]])
            check(not lab.show("1")["adopted"], "the task has its supervisor")
            lab.bgt("kill", "--now", "1").must(0)


def a_record_of_an_older_bgt_is_adopted_in_its_own_folder(args) -> None:
    with own_lab(args) as lab:
        task = start_armed(lab)
        lab.kill_supervisor("1")
        record = Record(lab.task("1") / "status")
        check(record.get_bytes(SECRET, 16) != bytes(16), "it has a secret")
        record.put_bytes(SECRET, bytes(16))
        record.write()
        shutil.copytree(lab.root, lab.home / "copied", symlinks=True, ignore=lambda folder, names: {"out", "ctl.sock"} & set(names))
        nothing_is_done(lab, lab.home / "copied", [task["pid"]])
        check(lab.show("1")["adopted"], "it has been taken over")
        lab.bgt("kill", "--now", "1").must(0)
        check(not is_alive(task["pid"]), "and ended")


def a_task_is_known_by_its_mark_when_its_environment_is_gone(args) -> None:
    """Also where the folder of all has another name now."""
    with own_lab(args) as lab:
        lab.start("-c", "exec env -i sleep 1000")
        pid = lab.show("1")["pid"]
        eventually(lambda: Path(f"/proc/{pid}/environ").read_bytes() == b"", "its environment is gone")
        supervisor = lab.show("1")["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
        moved = lab.home / "moved"
        lab.root.rename(moved)
        lab.root = moved
        check(lab.show("1")["adopted"], "it has been taken over")
        lab.bgt("kill", "1").must(0)
        check(not is_alive(pid), "and ended")


def a_process_of_another_user_with_the_same_mark_belongs_to_nobody(args) -> None:
    need_root()
    with Lab(args.bgt, 0) as lab:
        lab.start("-c", "sleep 1000 & sleep 1000")
        task = lab.show("1")
        mark = marks_of(task["pid"])[1]
        other = lab.background(["prlimit", f"--rttime={mark}:{mark}", "sleep", "1000"], uid=MALLORY)
        eventually(lambda: Path(f"/proc/{other.pid}/comm").read_text() == "sleep\n", "it sleeps")
        check(str(mark) in Path(f"/proc/{other.pid}/limits").read_text(), "it has the mark")
        lab.kill_supervisor("1")
        check(lab.show("1")["processes"] == 3, f"the tree is the task's: {lab.show('1')}")
        lab.bgt("kill", "--now", "1").must(0)
        check(is_alive(other.pid), "a process of another user was ended")


if __name__ == "__main__":
    sys.exit(main([
        a_copy_of_a_living_root_is_history,
        a_copy_by_hard_links_is_history,
        a_lock_that_is_no_file_of_ours_is_damage,
        a_root_with_hard_links_writes_nothing_outside,
        a_record_made_up_for_a_stranger_is_history,
        a_record_made_up_with_the_marks_of_a_living_task_is_history,
        a_record_of_an_older_bgt_is_adopted_in_its_own_folder,
        a_task_is_known_by_its_mark_when_its_environment_is_gone,
        a_process_of_another_user_with_the_same_mark_belongs_to_nobody,
    ], __doc__.splitlines()[0]))
