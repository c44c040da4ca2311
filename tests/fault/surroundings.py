#!/usr/bin/env python3
"""Disk, inodes and the root itself run out or go away under living tasks.

    sudo python3 tests/fault/surroundings.py --bgt build/release/bgt
"""
from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from lab import Lab, Mount, check, eventually, is_alive, main, need_programs, own_mounts

LINES = "i=0; while [ $i -lt {} ]; do i=$((i + 1)); printf '%015d\\n' $i; {} done"


def fill(root: Path) -> None:
    """Until not a byte more fits."""
    with open(root / "ballast", "ab", buffering=0) as ballast:
        for size in (65536, 4096, 1):
            try:
                while ballast.write(b"x" * size):
                    pass
            except OSError:
                pass


def make_room(root: Path) -> None:
    (root / "ballast").unlink()


def small_disk(lab: Lab, options: str = "size=1m") -> Mount:
    own_mounts()
    lab.make_folder("home/root")
    return Mount(lab.root, "-t", "tmpfs", "-o", f"{options},mode=700", "none")


def check_no_trace(lab: Lab, before: dict[str, list[str]], *message: str) -> None:
    """Runs that must fail, and that leave the root as it was."""
    for words in ([], ["--name", "new"], ["--name", "old"], ["--split", "--stdin", "pipe"]):
        lab.bgt("run", *words, "--", "sleep", "1000").refused(*message)
        check(lab.ids() == before, f"a failed run leaves a trace: {lab.ids()}, before: {before}")


def every_end_is_recorded_on_a_full_disk(args) -> None:
    with Lab(args.bgt) as lab, small_disk(lab):
        hold = "while [ ! -e $HOME/go ]; do sleep 0.02; done; "
        lab.start("--name", "old", "--", "true")
        lab.bgt("wait", "1").must(0)
        lab.start("-c", hold + "exit 0")
        lab.start("-c", hold + "echo lost; exit 42")
        lab.start("-c", hold + "kill -SEGV $$")
        lab.start("--timeout", "2s", "--grace", "200ms", "-c", "trap '' TERM; while :; do sleep 0.1; done")
        lab.start("--", "sleep", "1000")
        lab.start("--retries", "2", "--backoff", "100ms..1s", "-c", hold + "echo again; exit 7")
        lab.start("--output-timeout", "1s", "--", "sleep", "1000")
        lab.start("--name", "left", "--leftover", "keep", "-c", hold + "sleep 1000 & exit 5")
        fill(lab.root)
        check_no_trace(lab, lab.ids(), "No space left on device")
        (lab.home / "go").touch()
        lab.bgt("kill", "6").must(0)
        for task, code in (("2", 0), ("3", 42), ("4", 139), ("5", 123), ("6", 143), ("7", 7), ("8", 120), ("9", 5)):
            lab.bgt("wait", "--timeout", "20", task).must(code)
        check(lab.show("7")["attempt"] == 3, f"all three attempts were made: {lab.show('7')}")
        check(lab.show("3")["log"]["dropped_bytes"] == 5, "what was lost is counted")
        check(lab.show("5")["outcome"]["reason"] == "timeout", "who ended task 5")
        check(lab.show("8")["outcome"]["reason"] == "output-timeout", "who ended task 8")
        check(len(json.loads(lab.bgt("ps", "-a", "--json").must(0).out)["tasks"]) == 9, "all are listed")
        lab.bgt("kill", "9").must(0)
        lab.bgt("why", "3").must(0, 125)
        for task in "23456789":
            lab.bgt("rm", task).must(0)
        lab.bgt("gc").must(0)
        make_room(lab.root)
        check(int(lab.start("--name", "new", "--", "true")) > 9, "no id is given twice")
        lab.bgt("wait", "new").must(0)


def output_is_dropped_and_counted_by_the_byte(args) -> None:
    """Full and free in turns: what is in the log and what was dropped is together what was written, in its order."""
    with Lab(args.bgt) as lab, small_disk(lab):
        lines = 20000
        lab.start("-c", LINES.format(lines, "[ $((i % 500)) = 0 ] && sleep 0.05;"))
        log = lab.task("1") / "out.log"
        for _ in range(4):
            size = log.stat().st_size
            eventually(lambda: log.stat().st_size > size, "output is kept while there is room")
            fill(lab.root)
            dropped = lab.show("1")["log"]["dropped_bytes"]
            if lab.show("1")["lifecycle"] == "ended":
                break
            eventually(lambda: lab.show("1")["log"]["dropped_bytes"] > dropped or lab.show("1")["lifecycle"] == "ended",
                       "output is dropped while there is none")
            make_room(lab.root)
        lab.bgt("wait", "--timeout", "60", "1").must(0)
        task, text = lab.show("1"), log.read_text()
        check(task["log"]["dropped_bytes"] > 0, "something was dropped, or this shows nothing")
        check(len(text) + task["log"]["dropped_bytes"] == 16 * lines,
              f"{len(text)} bytes are kept of {16 * lines}: {task['log']}")
        numbers = [int(number) for number in re.findall(r"(?:^|(?<=\n))(\d{15})\n", text)]
        check(len(numbers) > 100 and all(a < b for a, b in zip(numbers, numbers[1:])),
              "the lines are not in their order")
        lab.bgt("logs", "--timestamps", "1").must(0)


def without_inodes(args) -> None:
    with Lab(args.bgt) as lab, small_disk(lab, "size=8m,nr_inodes=60"):
        lab.start("--name", "old", "--", "true")
        lab.bgt("wait", "1").must(0)
        lab.start("--stdin", "pipe", "-c", "echo begin; read x; echo end; exit 9")
        lab.start("--", "sleep", "1000")
        lab.start("--retries", "1", "--backoff", "100ms..1s", "--stdin", "pipe", "-c", "read x; exit 9")
        used = lab.root / "used"
        used.mkdir()
        try:
            for i in range(100):
                (used / str(i)).touch()
        except OSError:
            pass
        check_no_trace(lab, lab.ids(), "No space left on device")
        ran = lab.bgt("why", "3")
        check(ran.code == 0 or "could not be written" in ran.err, f"a report that can't be kept: {ran}")
        # The supervisor of one is killed: it is taken over, or it is said why not; it is never called lost.
        lab.kill_supervisor("3")
        for _ in range(2):
            ran = lab.bgt("show", "--json", "3")
            check('"lost"' not in ran.out and (ran.code == 0 or "No space" in ran.err + ran.out),
                  f"a living task is called dead: {ran}")
            if ran.code != 0:
                lab.bgt("rm", "3").refused()
                lab.bgt("gc", "--keep", "0")
                check((lab.task("3") / "status").exists(), "the folder of a living task is removed")
        lab.bgt("send", "2", "x").must(0)
        lab.bgt("wait", "--timeout", "20", "2").must(9)
        lab.bgt("logs", "2").must(0)
        lab.bgt("send", "4", "x").must(0)
        lab.bgt("send", "4", "x").must(0, 125)
        lab.bgt("wait", "--timeout", "20", "4").must(9)
        shutil.rmtree(used)
        check(lab.show("3")["lifecycle"] == "running", "with inodes it is taken over")
        lab.bgt("kill", "3").must(0)
        lab.bgt("wait", lab.start("--", "true")).must(0)


def the_root_is_removed(args) -> None:
    """The task goes on, without a master; its number comes again, and is never mistaken for it."""
    with Lab(args.bgt) as lab:
        lab.start("--name", "web", "--ready-notify", "-c",
                  "while [ ! -e $HOME/go ]; do sleep 0.02; done; "
                  f"{lab.program} notify --ready; {lab.program} notify --status old; "
                  "touch $HOME/said; while :; do echo $$; sleep 0.1; done")
        old = lab.show("1")
        shutil.rmtree(lab.root)
        check("1" not in lab.bgt("ps", "-a", "-q").must(0).out, "nothing is listed")
        for words in (["show", "1"], ["kill", "1"], ["wait", "1"], ["logs", "web"]):
            lab.bgt(*words).refused()
        check(lab.start("--name", "web", "--ready-notify", "--", "sleep", "1000") == "1", "the root begins anew")
        new = lab.show("1")
        (lab.home / "go").touch()
        eventually(lambda: (lab.home / "said").exists(), "the old one has notified")
        task = lab.show("1")
        check(not task["ready"] and task["progress"]["text"] is None, "the old task speaks for the new one")
        check(task["processes"] == 1 and task["pid"] == new["pid"], f"they are not mixed up: {task}")
        lab.bgt("kill", "web").must(0)
        check(is_alive(old["pid"]) and is_alive(old["supervisor"]), "the old one is not touched by the new one's end")
        # It ends by itself like any other, or as its supervisor is told to.
        os.kill(old["supervisor"], signal.SIGTERM)
        eventually(lambda: not is_alive(old["supervisor"]) and not is_alive(old["pid"]), "nothing of it is left")
        check(lab.show("1")["outcome"]["reason"] == "killed", "the old one's end is written nowhere else")


def the_root_is_moved_and_another_takes_its_place(args) -> None:
    with Lab(args.bgt) as lab:
        moved = lab.home / "moved"
        there = {"BGT_ROOT": str(moved)}
        lab.start("--stdin", "pipe", "-c", "echo first; read x; echo $x; exit 3")
        lab.start("--", "sleep", "1000")
        lab.start("--", "sleep", "1000")
        lab.root.rename(moved)
        check(lab.start("--", "sleep", "1000") == "1", "the new root begins anew")
        lab.bgt("kill", "1").must(0)
        check(lab.show("1", env=there)["lifecycle"] == "running", "the one in the moved root goes on")
        lab.bgt("send", "1", "sent", env=there).must(0)
        lab.bgt("wait", "1", env=there).must(3)
        check(lab.bgt("logs", "1", env=there).out == "first\nsent\n", "its output")
        supervisor = lab.show("2", env=there)["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
        check(lab.show("2", env=there)["adopted"], "it is taken over at its new place")
        lab.bgt("kill", "2", "3", env=there).must(0)
        check(lab.ids()["active"] == [] and not any((moved / "active").iterdir()), "markers are left")


def the_folder_of_a_living_task_is_removed(args) -> None:
    with Lab(args.bgt) as lab:
        lab.start("--name", "web", "--", "sleep", "1000")
        lab.start("--", "sleep", "1000")
        old = lab.show("1")
        shutil.rmtree(lab.task("1"))
        check(lab.bgt("ps", "-q").must(0).out.split() == ["2"], "the other one is listed")
        lab.bgt("kill", "1").refused("no such task")
        check(lab.start("--name", "web", "--", "sleep", "1000") == "3", "its name is free again")
        os.kill(old["supervisor"], signal.SIGTERM)
        eventually(lambda: not is_alive(old["pid"]), "its supervisor ends it")
        lab.bgt("kill", "--all").must(0)
        lab.bgt("gc").must(0)
        check(lab.ids()["active"] == [], f"markers are left: {lab.ids()}")


def the_root_becomes_read_only(args) -> None:
    """For those who look: the supervisors have opened before what they write."""
    with Lab(args.bgt) as lab:
        own_mounts()
        lab.start("--name", "old", "--", "true")
        lab.bgt("wait", "1").must(0)
        for _ in range(3):
            lab.start("-c", "echo text; sleep 1000")
        orphan = lab.start("-c", "sleep 1000")
        eventually(lambda: lab.bgt("logs", "2").out == "text\n", "output")
        supervisor = lab.show(orphan)["supervisor"]
        with Mount(lab.root, "--bind", str(lab.root)):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(lab.root)], check=True)
            check_no_trace(lab, lab.ids(), "Read-only file system")
            os.kill(supervisor, signal.SIGKILL)
            eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
            check(lab.show(orphan)["lifecycle"] == "running",
                  "a living task is not called dead where nobody can take over")
            lab.bgt("ps", "-a").must(0)
            lab.bgt("wait", "--timeout", "0.2", "2").must(124)
            lab.bgt("signal", "CONT", "2").must(0)
            lab.bgt("kill", "2").must(0)
            lab.bgt("wait", "2").must(143)
            lab.bgt("rm", "2").refused("Read-only file system")
            lab.bgt("kill", orphan).refused()
            lab.bgt("gc").must(0, 125)
        check(lab.show(orphan)["adopted"], "it is taken over where that can be")
        lab.bgt("kill", "--all").must(0)


def the_disk_dies(args) -> None:
    """Each write and most reads fail (EIO), as with a cable pulled out; the tasks live on, and can be ended."""
    need_programs("mkfs.ext4", "losetup")
    with Lab(args.bgt) as lab:
        own_mounts()
        image = lab.folder / "image"
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
        lab.make_folder("home/root")
        with Mount(lab.root, "-o", "loop", str(image)):
            lab.root.chmod(0o700)
            ticking = "while :; do echo tick; date +%s%N > $HOME/beat; sleep 0.05; done"
            lab.start("-c", ticking)
            lab.start("-c", "while [ ! -e $HOME/go ]; do sleep 0.02; done; exit 3")
            eventually(lambda: (lab.home / "beat").exists(), "it ticks")
            seen = [lab.show("1"), lab.show("2")]
            shut_down(lab.root)
            beat = (lab.home / "beat").read_text()
            eventually(lambda: (lab.home / "beat").read_text() > beat, "the task goes on")
            (lab.home / "go").touch()
            eventually(lambda: not is_alive(seen[1]["pid"]), "the second ends")
            for words in (["run", "--", "true"], ["ps"], ["show", "1"], ["logs", "1"], ["kill", "1"]):
                ran = lab.bgt(*words, timeout=30)
                check(ran.code in (0, 125) and ran.err.count("\n") <= 2, f"an answer from a dead disk: {ran}")
            ran = lab.bgt("wait", "--timeout", "2", "2")
            check(ran.code != 0, f"an exit code that was not seen: {ran}")
            if is_alive(seen[0]["supervisor"]):
                os.kill(seen[0]["supervisor"], signal.SIGTERM)
            eventually(lambda: not is_alive(seen[0]["pid"]), "the first can be ended")


def shut_down(folder: Path) -> None:
    ext4_ioc_shutdown, without_flushing = 0x8004587D, 2
    fd = os.open(folder, os.O_RDONLY)
    fcntl.ioctl(fd, ext4_ioc_shutdown, without_flushing.to_bytes(4, "little"))
    os.close(fd)


if __name__ == "__main__":
    sys.exit(main([
        every_end_is_recorded_on_a_full_disk,
        output_is_dropped_and_counted_by_the_byte,
        without_inodes,
        the_root_is_removed,
        the_root_is_moved_and_another_takes_its_place,
        the_folder_of_a_living_task_is_removed,
        the_root_becomes_read_only,
        the_disk_dies,
    ], __doc__.splitlines()[0]))
