"""What the tests of this folder share: a place for one test's tasks, other users, a task's record, a runner."""
from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

sys.path.append(str(Path(__file__).parents[1] / "support"))
from crc32c import crc32c  # noqa: E402
from process_table import command_line, environment, is_alive, kill_all, process, processes, until  # noqa: E402, F401

PATIENCE = 20.0  # seconds in which what must come has to come


class Failed(Exception):
    """What had to hold did not."""


class Skipped(Exception):
    """It can't be tried here; the text says why."""


def check(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


def eventually(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    check(until(condition, patience), f"not within {patience:g} s: {what}")


@dataclass
class Ran:
    """What a program that has ended said."""
    words: tuple[str, ...]
    code: int
    out: str
    err: str
    took: float

    def __str__(self) -> str:
        return (f"{' '.join(self.words)}: code {self.code}, {self.took:.2f} s\n"
                f"  out: {self.out[-600:]!r}\n  err: {self.err[-600:]!r}")

    def must(self, *codes: int) -> Ran:
        check(self.code in (codes or (0,)), f"expected code {codes or (0,)}: {self}")
        return self

    def refused(self, *words: str) -> Ran:
        """One clear message, code 125, nothing on stdout."""
        self.must(125)
        check(self.out == "" and self.err.startswith("bgt") and 1 <= self.err.count("\n") <= 2,
              f"no clear refusal: {self}")
        for word in words:
            check(word in self.err, f"'{word}' is not in the message: {self}")
        return self


class Lab:
    """A folder with a state root in it and all that was started for one test. Its tasks carry its name in LAB."""

    def __init__(self, bgt: str, uid: int = 0) -> None:
        self.uid = uid
        self.folder = Path(tempfile.mkdtemp(prefix="users-lab-"))
        self.folder.chmod(0o711)
        self.program = self.folder / "bgt"
        shutil.copy(bgt, self.program)
        self.program.chmod(0o755)
        self.home = self.make_folder("home")
        self.root = self.home / "root"
        self.prefix: tuple[str, ...] = ()  # e.g. nsenter, before every bgt
        self.started: list[subprocess.Popen] = []

    def make_folder(self, name: str, mode: int = 0o700, uid: int | None = None) -> Path:
        path = self.folder / name
        path.mkdir()
        path.chmod(mode)
        owner = self.uid if uid is None else uid
        if os.geteuid() == 0:
            os.chown(path, owner, owner)
        return path

    def environment(self, extra: dict[str, str | None] | None = None) -> dict[str, str]:
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home), "LAB": str(self.folder),
               "BGT_ROOT": str(self.root), "LC_ALL": "C.UTF-8"}
        for key, value in (extra or {}).items():
            if value is None:
                env.pop(key, None)
            else:
                env[key] = value
        return env

    def options(self, uid: int | None, env: dict[str, str | None] | None) -> dict:
        """For subprocess: as whom, where and with what environment."""
        user = self.uid if uid is None else uid
        options: dict = {"env": self.environment(env), "stdin": subprocess.DEVNULL, "cwd": "/"}
        if user != os.geteuid():
            options |= {"user": user, "group": user, "extra_groups": []}
        return options

    def run(self, words: list[str], uid: int | None = None, env: dict[str, str | None] | None = None,
            timeout: float = 60, **more) -> Ran:
        """A program to its end. Its output goes to files: a daemon that keeps them open holds nobody up."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(words, stdout=out, stderr=err, **(self.options(uid, env) | more))
            try:
                code = child.wait(timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise Failed(f"{' '.join(words)} took more than {timeout:g} s") from None
            took = time.monotonic() - began
            out.seek(0)
            err.seek(0)
            return Ran(tuple(words), code if code >= 0 else 128 - code, out.read().decode(errors="replace"),
                       err.read().decode(errors="replace"), took)

    def bgt(self, *words: str, **how) -> Ran:
        return self.run([*self.prefix, str(self.program), *words], **how)

    def start(self, *words: str, **how) -> str:
        ran = self.bgt("run", *words, **how).must(0)
        check(ran.out.strip().isdigit(), f"no id: {ran}")
        return ran.out.strip()

    def show(self, task: str, **how) -> dict:
        return json.loads(self.bgt("show", "--json", task, **how).must(0).out)["tasks"][0]

    def task(self, task: str) -> Path:
        return self.root / "tasks" / task

    def background(self, words: list[str], uid: int | None = None, **more) -> subprocess.Popen:
        """A process that is no task: a stranger. Ended with the lab."""
        child = subprocess.Popen(words, **(self.options(uid, None) | {"stdout": subprocess.DEVNULL} | more))
        self.started.append(child)
        return child

    def kill_supervisor(self, task: str) -> int:
        supervisor = self.show(task)["supervisor"]
        os.kill(supervisor, signal.SIGKILL)
        eventually(lambda: not is_alive(supervisor), "the supervisor is dead")
        return supervisor

    def members(self) -> list[int]:
        """Who has this lab's name in the environment, or in the command line."""
        mark = str(self.folder)
        return [pid for pid in processes() if pid != os.getpid() and
                (mark in command_line(pid) or any(mark.encode() in entry for entry in environment(pid)))]

    def ids(self) -> dict[str, list[str]]:
        """What stands in the folders of the root: tasks, markers, names."""
        return {name: sorted(set(os.listdir(self.root / name)) - {".lock"}) if (self.root / name).exists() else []
                for name in ("tasks", "active", "names")}

    def nobody_left(self) -> None:
        strangers = [child.pid for child in self.started]
        try:
            eventually(lambda: not set(self.members()) - set(strangers), "no process is left", 5)
        except Failed:
            left = [(pid, command_line(pid)) for pid in set(self.members()) - set(strangers)]
            raise Failed(f"processes are left: {left}") from None

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None:
                self.nobody_left()
        finally:
            self.close()

    def close(self) -> None:
        for child in self.started:
            child.kill()
            child.wait()
        kill_all(self.members)  # of a test that failed
        shutil.rmtree(self.folder, ignore_errors=True)


# A task's `status`, schema 1: two slots, each with a generation at 16 and a CRC-32C at its end.
SLOT = 1024
GENERATION, BOOT, ROOT_PID, SUPERVISOR_PID, ROOT_START, SUPERVISOR_START = 16, 48, 64, 68, 72, 80
SECRET = 884


class Record:
    """A task's record, to be changed by a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray(path.read_bytes())
        slots = [self.data[:SLOT], self.data[SLOT:2 * SLOT]]
        self.at = SLOT * max((0, 1), key=lambda i: struct.unpack_from("<Q", slots[i], GENERATION)[0])

    def get(self, form: str, offset: int) -> int:
        return struct.unpack_from(form, self.data, self.at + offset)[0]

    def put(self, form: str, offset: int, value: int) -> None:
        struct.pack_into(form, self.data, self.at + offset, value)

    def get_bytes(self, offset: int, size: int) -> bytes:
        return bytes(self.data[self.at + offset:self.at + offset + size])

    def put_bytes(self, offset: int, value: bytes) -> None:
        self.data[self.at + offset:self.at + offset + len(value)] = value

    def put_boot(self, boot: bytes) -> None:
        self.put_bytes(BOOT, boot)

    def write(self) -> None:
        slot = bytes(self.data[self.at:self.at + SLOT - 4])
        struct.pack_into("<I", self.data, self.at + SLOT - 4, crc32c(slot))
        self.path.write_bytes(self.data)


def snapshot(folder: Path) -> dict[str, tuple]:
    """Names, kinds, owners, sizes and dates of all in a folder, to see whether anything was touched."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        info = path.lstat()
        found[str(path)] = (stat.filemode(info.st_mode), info.st_uid, info.st_size, info.st_mtime_ns, info.st_ino)
    return found


# Two users who have no other processes on this machine, and what one of them could try on the other's tasks.
ALICE, MALLORY = 61001, 61002
VERBS = (["ps"], ["show", "1"], ["logs", "1"], ["wait", "--timeout", "1", "1"], ["kill", "1"], ["signal", "HUP", "1"],
         ["pause", "1"], ["resume", "1"], ["why", "1"], ["restart", "1"], ["rm", "1"], ["gc", "--keep", "0"],
         ["run", "--", "true"])


def alice(args) -> Lab:
    need_root()
    return Lab(args.bgt, ALICE)


def as_user(uid: int, action: Callable[[], object]) -> str:
    """What the action says in a process of that user: its answer or the exception."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        try:
            answer = str(action())
        except BaseException as error:
            answer = f"{type(error).__name__} {error}"
        os.write(writer, answer.encode()[:4000])
        os._exit(0)
    os.close(writer)
    answer = b""
    while part := os.read(reader, 4096):
        answer += part
    os.close(reader)
    os.waitpid(child, 0)
    return answer.decode()


def main(tests: list[Callable[[argparse.Namespace], None]], about: str,
         options: argparse.ArgumentParser | None = None) -> int:
    """Runs each test, says how it went, and returns the exit status."""
    parser = options or argparse.ArgumentParser(description=about)
    parser.add_argument("--bgt", "--new", dest="bgt", required=True, type=os.path.abspath,
                        help="the binary to be tested")
    parser.add_argument("--only", metavar="TEXT", default="", help="run the tests with this in their names")
    args = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for test in tests:
        name = test.__name__.replace("_", " ")
        if args.only not in name:
            continue
        began = time.monotonic()
        try:
            test(args)
            word, why = "passed", ""
        except Skipped as skip:
            word, why = "skipped", f": {skip}"
        except Failed as failure:
            where = traceback.extract_tb(failure.__traceback__)
            line = next(frame.lineno for frame in where if frame.name == test.__code__.co_name)
            word, why = "failed", f" (line {line}): {failure}"
        except Exception:  # a mistake of the test itself must not end the others
            word, why = "failed", f":\n{traceback.format_exc()}"
        counts[word] += 1
        print(f"{word}: {name} ({time.monotonic() - began:.1f} s){why}", flush=True)
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


def own_mounts() -> None:
    """What this process mounts from now on is seen by it and its children only, and vanishes with them."""
    need_root()
    clone_newns = 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(clone_newns) != 0:
        raise Skipped(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True)
    if done.returncode != 0:  # a root folder that is no mount point, as in a chroot
        raise Skipped(f"mounts can't be made private: {done.stderr.splitlines()[0]}")


class Mount:
    """A file system at a folder, until the end of the block."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        done = subprocess.run(["mount", *words, str(folder)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skipped(f"can't mount: {done.stderr.strip()}")

    def __enter__(self) -> Mount:
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def need_root() -> None:
    if os.geteuid() != 0:
        raise Skipped("needs root")


def need_programs(*names: str) -> None:
    for name in names:
        if not shutil.which(name):
            raise Skipped(f"needs {name}")


if __name__ == "__main__":
    sys.exit("a module, not a test")
