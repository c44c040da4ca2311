#!/usr/bin/env python3
"""Odd file systems and machines: files that stay while they are open, no holes, noexec, no /proc, no /dev/null,
no room for files.

    sudo python3 tests/fault/surroundings_files.py --bgt build/release/bgt
"""
from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from lab import Lab, Mount, Skipped, check, eventually, main, need_programs, need_root, own_mounts


class Fuse:
    """A folder by way of FUSE, which keeps a removed file under another name while it is open, and punches no holes."""

    def __init__(self, lab: Lab) -> None:
        need_root()
        need_programs("bindfs", "umount")
        self.folder = lab.make_folder("fuse")
        store = lab.make_folder("store")
        subprocess.run(["bindfs", str(store), str(self.folder)], check=True)
        lab.root = self.folder / "root"

    def __enter__(self) -> Fuse:
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def nothing_stays_of_what_is_removed(args) -> None:
    with Lab(args.bgt) as lab, Fuse(lab):
        def left() -> list[str]:
            return os.listdir(lab.root / "tasks")
        for _ in range(5):
            lab.bgt("run", "--wait", "--rm", "-c", "echo a").must(0)
        check(not left(), f"run --wait --rm leaves {left()}")
        lab.start("--rm", "--split", "--stdin", "pipe", "--", "true")
        eventually(lambda: not left(), "run --rm leaves nothing")
        tasks = [lab.start("-c", "echo a") for _ in range(10)]
        lab.bgt("wait", *tasks).must(0)
        lab.bgt("rm", *tasks[:5]).must(0)
        check(sorted(left()) == sorted(tasks[5:]), f"rm leaves {left()}")
        lab.bgt("run", "--", "no-such-command").must(127)
        check(sorted(left()) == sorted(tasks[5:]), f"a failed start leaves {left()}")
        with open(lab.task(tasks[5]) / "out.log"):
            lab.bgt("rm", tasks[5]).must(0)
            check(f".gone-{tasks[5]}" in left(), "the folder of a file that somebody reads stays")
        (lab.root / "next-id").write_text("63\n")
        lab.bgt("run", "--wait", "--", "true").must(0)  # number 64 tidies in passing
        eventually(lambda: not [name for name in left() if name.startswith(".")], f"swept in passing: {left()}")
        lab.bgt("gc", "--keep", "0").must(0)
        check(not left(), f"gc leaves {left()}")


def a_log_that_cannot_be_capped_is_told(args) -> None:
    with Lab(args.bgt) as lab, Fuse(lab):
        task = lab.start("--log-max", "64K", "-c", "head -c 300000 /dev/zero; echo end")
        lab.bgt("wait", task).must(0)
        told = lab.bgt("show", task).must(0).out
        check("log-max-off" in told and "t free its head" in told, f"nobody says that --log-max is off: {told}")
        check(lab.bgt("logs", "-n", "1", task).must(0).out.endswith("end\n"), "the end of the log")


def noexec_is_named(args) -> None:
    own_mounts()
    with Lab(args.bgt) as lab:
        folder = lab.make_folder("mounted")
        with Mount(folder, "-t", "tmpfs", "-o", "noexec", "none"):
            script = folder / "script"
            script.write_text("#!/bin/sh\necho hi\n")
            script.chmod(0o755)
            ran = lab.bgt("run", "--", str(script)).must(126)
            check("noexec" in ran.err, str(ran))
            script.chmod(0o644)
            ran = lab.bgt("run", "--", str(script)).must(126)
            check("chmod" in ran.err and "noexec" not in ran.err, str(ran))


def without_proc_and_without_dev_null(args) -> None:
    need_root()
    need_programs("unshare", "mount")
    with Lab(args.bgt) as lab:
        for folder, words in (("/proc", ("/proc", "mount -t proc")), ("/dev", ("/dev/null", "mknod"))):
            hidden = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs none {folder} && exec "$@"', "sh"]
            ran = lab.run([*hidden, str(lab.program), "run", "--", "true"])
            if ran.err.startswith("unshare:") or ran.err.startswith("mount:"):
                raise Skipped(f"nothing can be mounted: {ran.err.strip()}")
            ran.refused(*words)
            check(lab.ids() == {"tasks": [], "active": [], "names": []}, f"a failed run leaves {lab.ids()}")


def a_caller_that_may_write_no_files(args) -> None:
    how = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))}
    with Lab(args.bgt) as lab:
        lab.bgt("run", "--", "true", **how).refused("File too large", "ulimit -f")
        check(lab.ids() == {"tasks": [], "active": [], "names": []}, f"a failed run leaves {lab.ids()}")
        lab.start("--", "sleep", "1000")
        lab.bgt("ps", **how).must(0)
        lab.bgt("kill", "--all", **how).must(0)


if __name__ == "__main__":
    sys.exit(main([nothing_stays_of_what_is_removed, a_log_that_cannot_be_capped_is_told, noexec_is_named,
                   without_proc_and_without_dev_null, a_caller_that_may_write_no_files], __doc__.splitlines()[0]))
