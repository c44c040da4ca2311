"""A stage: a state root of its own, bgt in it, the tasks with what is true of them, and a look at it from outside."""
import dataclasses
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import sys
import time

import tracer

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from process_table import environment, kill_all, processes  # noqa: E402

VERB_DEADLINE = 25.0    # bgt's own bounds are 5 s each; beyond this a verb hangs
MARK = "BGT_FAULT_MARK"


@dataclasses.dataclass
class Shot:
    """One fault: at call number `call` of the `target` in the scenario. `call` 0 only lists the calls."""
    scenario: str
    target: str             # cli, supervisor
    call: int = 0
    fault: str = ""         # kill, or the name of an error

    def words(self) -> str:
        return f"{self.scenario}:{self.target}:{self.call}:{self.fault}"


@dataclasses.dataclass
class Ran:
    """How a verb ended; `code` is negative for a signal, and None for one that was still there at the deadline."""
    argv: tuple
    code: int | None
    out: str
    err: str
    shot: bool = False      # the fault was in this very process

    def began(self) -> bool:
        """Not so where the fault met the dynamic loader, before the program's first own step (no static build)."""
        return self.code != 127 or "error while loading shared libraries" not in self.err

    def words(self) -> str:
        return f"bgt {' '.join(self.argv)[:90]} -> {self.code} {self.out[:200]!r} {self.err[:300]!r}"


@dataclasses.dataclass
class Task:
    """What is asked for, and the files in which its command itself says what it did."""
    mark: str
    folder: pathlib.Path
    name: str = ""
    id: int | None = None           # as bgt said
    may_be_lost: bool = False       # its supervisor was killed by the scenario itself
    output: bytes | None = None     # what it prints in all, where it lives to print it
    refused: bool = False           # bgt said that it was not started

    def said(self, what: str) -> list:
        path = self.folder / f"{self.mark}.{what}"
        return path.read_text().split() if path.exists() else []


class Failure(Exception):
    """An invariant does not hold."""


class Stage:
    def __init__(self, bgt: str, shot: Shot):
        self.bgt, self.shot = bgt, shot
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fault-"))
        self.root = self.folder / "root"
        self.work = self.folder / "work"
        self.work.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "BGT_ROOT": str(self.root)}
        self.tasks: list[Task] = []
        self.ids: list[int] = []        # every id that bgt gave out, in their order
        self.tracer = self.pipe = 0
        self.rest = b""
        self.ended = False              # what is followed
        self.hit = ""                   # the call that was hit
        self.calls: list = []
        self.supervisor = 0             # the one that is followed

    # -- bgt ---------------------------------------------------------------------------------------------------

    def __call__(self, *argv: str, target: str = "") -> Ran:
        """`bgt ARGV...`; the fault is in it where it is the target of the shot: `cli`, `supervisor` (that it forks)."""
        if target and self.shot.target in target.split("|") and not self.tracer:
            return self.traced(argv)
        try:
            done = subprocess.run([self.bgt, *argv], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=VERB_DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failure(f"bgt {' '.join(argv)[:90]} hangs") from None
        return Ran(argv, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def traced(self, argv: tuple) -> Ran:
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.tracer, self.pipe = tracer.fork_tracer([self.bgt, *argv], self.env, self.work, out.fileno(), err.fileno(),
                                                    self.shot.target, self.shot.call, self.shot.fault)
        said = self.listen(lambda message: "cli" in message, VERB_DEADLINE)
        if not said:
            raise Failure(f"bgt {' '.join(argv)[:90]} hangs")
        for file in (out, err):
            file.seek(0)
        return Ran(argv, said["cli"], out.read().decode(errors="replace"), err.read().decode(errors="replace"),
                   self.shot.target == "cli" and bool(self.hit))

    def listen(self, wanted, patience: float) -> dict | None:
        """Takes what the tracer tells until a message is the wanted one."""
        deadline = time.monotonic() + patience
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                message = json.loads(line)
                if "broken" in message:
                    raise RuntimeError(f"the tracer broke: {message['broken']}")
                self.hit = message.get("hit", self.hit)
                self.calls = message.get("calls", self.calls)
                self.supervisor = message.get("supervisor", self.supervisor)
                if wanted(message):
                    return message
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self.pipe], [], [], left)[0]:
                return None
            data = os.read(self.pipe, 1 << 16)
            if not data:
                return None
            self.rest += data

    def end_of_trace(self, patience: float) -> bool:
        """Whether the process that is followed came to its end."""
        if not self.ended:
            self.ended = not self.tracer or self.listen(lambda message: "end" in message, patience) is not None
        return self.ended

    # -- tasks -------------------------------------------------------------------------------------------------

    def task(self, name: str = "", **what) -> Task:
        task = Task(f"{self.folder.name}-{len(self.tasks)}", self.folder, name, **what)
        self.tasks.append(task)
        return task

    def run(self, task: Task, script: str, *options: str, target: str = "") -> Ran:
        """`bgt run`; in the script `say FILE WORD` writes for us, and `finish CODE` ends it."""
        prelude = (f'say() {{ echo "$2" >> {task.folder}/{task.mark}.$1; }}; finish() {{ say end "$1"; exit "$1"; }}; '
                   "say start $$\n")
        named = ("--name", task.name) if task.name else ()
        ran = self("run", *named, "--env", f"{MARK}={task.mark}", *options, "-c", prelude + script, target=target)
        first = ran.out.split("\n", 1)[0]
        if first.isdigit():
            task.id = int(first)
            self.ids.append(task.id)
        return ran

    def wait_for(self, task: Task, code: int) -> None:
        """`bgt wait`, which must say how the command ended, or that nobody saw it."""
        ran = self("wait", str(task.id))
        if ran.code != code and not (ran.code == 122 and self.killed_supervisor()):
            raise Failure(f"a wrong exit code: {ran.words()}")

    def log(self, id: int) -> bytes:
        done = subprocess.run([self.bgt, "logs", "--raw", str(id)], env=self.env, cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=VERB_DEADLINE)
        return done.stdout

    def killed_supervisor(self) -> bool:
        return self.shot.target == "supervisor" and self.shot.fault == "kill"

    def killed_cli(self) -> bool:
        return self.shot.target == "cli" and self.shot.fault == "kill"

    def tasks_told(self) -> list:
        ran = self("ps", "-a", "--json")
        if ran.code != 0:
            raise Failure(f"ps does not work: {ran.words()}")
        return json.loads(ran.out)["tasks"]

    def told(self, task: Task, tasks: list) -> dict | None:
        """What bgt tells of a task, which may not have got as far as telling us its id."""
        known = [other.id for other in self.tasks if other.id]
        for one in tasks:
            marked = any(f"{task.mark}.$1" in word for word in one["command"] or ())
            if one["id"] == task.id or task.id is None and one["id"] not in known and marked:
                return one
        return None

    # -- the outside -------------------------------------------------------------------------------------------

    def living(self) -> dict:
        """The processes of each task's tree, by its mark: {mark: [pid]}. A supervisor has no mark."""
        found = {}
        for pid, environment in self.environments():
            for task in self.tasks:
                if f"{MARK}={task.mark}".encode() in environment:
                    found.setdefault(task.mark, []).append(pid)
        return found

    @staticmethod
    def environments():
        return [(pid, environment(pid)) for pid in processes()]

    def close(self) -> list:
        """Ends what is left, and says who it was."""
        if self.tracer:
            os.kill(self.tracer, signal.SIGKILL)
            os.waitpid(self.tracer, 0)
            os.close(self.pipe)
        strays = kill_all(lambda: [pid for pid, environment in self.environments()
                                   if any(str(self.folder).encode() in entry for entry in environment)])
        shutil.rmtree(self.folder, ignore_errors=True)
        return strays
