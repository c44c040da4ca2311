"""A sandbox that refuses one system call (seccomp, as container engines and services use it), to bgt and to all that it
starts: each call that bgt can do without has another way, and of each other one the message names it. Nothing is lost in
silence: no output, no process of a tree, no exit code.

    python3 tests/fault/seccomp.py --bgt build/release/bgt [--call splice] [--error EPERM]
"""
from __future__ import annotations

import argparse
import ctypes
import errno
import os
import platform
import struct
import subprocess
import sys

from calls import NAMES
from lab import Failed, Lab, Skipped, check, eventually, is_alive, main

SET_NO_NEW_PRIVS, SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
X86_64 = 0xC000003E

# What bgt has another way for.
REPLACEABLE = ("splice", "fallocate", "pidfd_open", "pidfd_send_signal", "openat2", "close_range", "statx", "faccessat2",
               "process_vm_readv", "renameat2", "sched_getaffinity", "setpriority", "madvise", "getrandom")
# What it may not be able to do without: then it says which one.
NEEDED = {"signalfd4": "signalfd", "timerfd_create": "timer", "epoll_create1": "epoll", "eventfd2": "eventfd", "mknodat": "mknod",
          "inotify_init1": "inotify", "vfork": "vfork", "prctl": "prctl", "pipe2": "pipe"}


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def refusing(call: str, error: str):
    """For preexec_fn: from then on the call fails with the error, for this process and for all that it starts."""
    number = next(number for number, name in NAMES.items() if name == call)
    steps = [(LOAD, 0, 0, 4), (JUMP_IF_EQUAL, 0, 3, X86_64), (LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, number),
             (RETURN, 0, 0, REFUSE | getattr(errno, error)), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = Filter(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)

    def install() -> None:
        assert code
        if libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
            os._exit(99)
    return install


class Sandbox(Lab):
    def __init__(self, bgt: str, call: str, error: str) -> None:
        super().__init__(bgt)
        self.call = call
        self.refuse = refusing(call, error)

    def bgt(self, *words: str, **how):
        return super().bgt(*words, preexec_fn=self.refuse, **how)


def output_is_whole(lab: Sandbox) -> None:
    size = 3_000_000
    task = lab.start("--split", "-c", f"echo begin; head -c {size} /dev/zero; echo error >&2; echo end; exit 3")
    lab.bgt("wait", "--timeout", "30", task).must(3)
    out, err = ((lab.task(task) / name).read_bytes() for name in ("out.log", "err.log"))
    check(len(out) == size + 10 and out.startswith(b"begin\n") and out.endswith(b"end\n"), f"{len(out)} bytes of output")
    check(err == b"error\n", f"stderr: {err[:100]!r}")
    task = lab.start("--log-max", "64K", "-c", "head -c 2000000 /dev/zero; echo end")
    lab.bgt("wait", "--timeout", "30", task).must(0)
    check(lab.bgt("logs", "-n", "1", task).must(0).out.endswith("end\n"), "the end of a capped log")
    used = (lab.task(task) / "out.log").stat().st_blocks * 512
    said = "log-max" in (lab.task(task) / "events.jsonl").read_text()
    check(used < 500_000 or said, f"{used} bytes are used, and nobody says that --log-max is off")
    ran = lab.bgt("run", "--wait", "--rm", "-c", "echo a; echo b >&2; exit 4").must(4)
    check(ran.out == "a\nb\n", str(ran))


def trees_end_whole(lab: Sandbox) -> None:
    tree = "(trap '' TERM; sleep 1000; sleep 1000) & setsid sleep 1000 & sleep 1000 & echo ready; wait"
    task = lab.start("--name", "tree", "--grace", "300ms", "--ready-log", "ready", "--wait-ready", "-c", tree)
    check(lab.show(task)["processes"] >= 4, f"the tree: {lab.show(task)['processes']}")
    check("tree" in lab.bgt("ps").must(0).out, "ps")
    lab.bgt("wait", "--timeout", "0.2", "tree").must(124)
    lab.bgt("signal", "CONT", "tree").must(0)
    lab.bgt("why", "tree").must(0)
    lab.bgt("kill", "tree").must(0)
    lab.nobody_left()
    lab.start("--name", "again", "-c", tree)
    lab.kill_supervisor("again")
    check(lab.show("again")["adopted"], "it is taken over")
    lab.bgt("kill", "--now", "again").must(0)
    lab.nobody_left()


def input_comes(lab: Sandbox) -> None:
    task = lab.start("--stdin", "pipe", "-c", "read x; echo got $x")
    lab.bgt("send", task, "word").must(0)
    lab.bgt("wait", "--timeout", "20", task).must(0)
    check(lab.bgt("logs", task).must(0).out == "got word\n", "what was sent")
    task = lab.start("--timeout", "300ms", "--", "sleep", "1000")
    lab.bgt("wait", "--timeout", "20", task).must(123)
    if lab.call != "pidfd_open":  # the commands of --ready-cmd are started by Boost.Process, which needs it
        task = lab.start("--ready-cmd", "true", "--wait-ready", "--", "sleep", "1000")
        lab.bgt("kill", task).must(0)


def nothing_stays(lab: Sandbox) -> None:
    lab.bgt("rm", "1").must(0)
    lab.bgt("gc", "--keep", "0").must(0)
    check(lab.ids() == {"tasks": [], "active": [], "names": []}, f"something is left: {lab.ids()}")


def all_of_it(args, call: str, error: str) -> None:
    with Sandbox(args.bgt, call, error) as lab:
        for step in (output_is_whole, trees_end_whole, input_comes, nothing_stays):
            step(lab)


def works_without(call: str, error: str):
    def test(args) -> None:
        all_of_it(args, call, error)
    test.__name__ = f"without_{call}_{error}"
    return test


def is_named(call: str, error: str):
    def test(args) -> None:
        with Sandbox(args.bgt, call, error) as lab:
            try:
                ran = lab.bgt("run", "--wait", "--", "true")
                check(ran.code == 0, str(ran))
            except Failed:
                ran.refused(NEEDED[call])
                check(not lab.ids()["tasks"] and not lab.ids()["active"], f"a refused run leaves {lab.ids()}")
    test.__name__ = f"named_{call}_{error}"
    return test


if __name__ == "__main__":
    sys.exit(main([make(call, error) for make, calls in ((works_without, REPLACEABLE), (is_named, NEEDED))
                   for call in calls for error in ("ENOSYS", "EPERM")], __doc__.splitlines()[0]))
