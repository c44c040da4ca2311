"""What must be so after any fault, looked at from outside with a bgt that nothing is done to."""
import json
import os
import pathlib
import time

from harness import Failure, Stage, Task
from process_table import until

ALIVE = ("starting", "running", "stopping", "backing-off")
MOST_SUPERVISOR_FDS = 24
OF_LIVING_TASKS = ("out", "err", "in", "ctl.sock", "out.stage", "err.stage")


def check(stage: Stage) -> None:
    claims(stage)
    starts_are_exact(stage)
    tree_descriptors(stage)
    verbs_work(stage)
    end_all(stage)
    outcomes(stage)
    names_are_free(stage)
    ids_are_new(stage)
    nothing_stays(stage)


def lie(stage: Stage) -> str:
    """What bgt says that is not so; a task that moves on between two looks looks like a lie for a moment."""
    living = stage.living()
    tasks = stage.tasks_told()
    for one in tasks:
        if one["problem"] and not stage.killed_cli():
            return f"task {one['id']} has a problem: {one['problem']}"
    for task in stage.tasks:
        told = stage.told(task, tasks)
        lives = task.mark in living
        state = told["lifecycle"] if told and not told["problem"] else None
        if lives and state not in ALIVE:
            return f"of {task.mark} there lives {living[task.mark]}, and bgt says {state} ({told})"
        if state in ("running", "stopping") and not lives and not told["next_attempt_at"]:
            return f"bgt says {state} of {task.mark}, of which nothing lives ({told})"
        if state == "starting" and not (told["next_attempt_at"] and told["supervisor"]):
            return f"{task.mark} starts for ever ({told})"
        if task.refused and told:
            return f"{task.mark} was said not to have been started, and is there ({told})"
    return ""


def claims(stage: Stage) -> None:
    said = ""

    def true() -> bool:
        nonlocal said
        said = lie(stage)
        return not said
    if not until(true, 8):
        raise Failure(said)


def starts_are_exact(stage: Stage) -> None:
    """Of a command that was started bgt never says that it was not, and the reverse."""
    tasks = stage.tasks_told()
    marks = [task.mark for task in stage.tasks]
    for task in stage.tasks:
        if marks.count(task.mark) > 1:
            continue   # a retried command says the same words as the one before
        told = stage.told(task, tasks)
        kind = told["outcome"]["kind"] if told and told["outcome"] else None
        if task.said("start") and (task.refused or kind == "not-started" or kind == "failed-to-start" and told["attempt"] == 1):
            raise Failure(f"{task.mark} was started, and bgt says that it was not: {told}")
        # Who killed it before its first word would have had to ask for that.
        on_record = told and not told["problem"] and told["pid"] and not (told["outcome"] and told["outcome"]["reason"] != "self")
        if on_record and not until(lambda: task.said("start"), 5):
            raise Failure(f"bgt says that {task.mark} was started, and it was not: {told}")


def descriptors(pid: int, least: int) -> dict:
    """Those from a number on, and what they are."""
    try:
        return {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) >= least}
    except OSError:
        return {}   # it ended just now


def strays(stage: Stage, pid: int) -> dict:
    """What a process of a tree was not given: a reading end of its output FIFOs is."""
    fifos = tuple(f"{stage.root}/tasks/{told['id']}/{name}" for told in stage.tasks_told() for name in ("out", "err"))
    return {fd: target for fd, target in descriptors(pid, 3).items() if not target.startswith(fifos)}


def tree_descriptors(stage: Stage) -> None:
    stray: list = []

    def none_stray() -> bool:   # a shell has pipes of its own for a moment
        stray[:] = [(pid, found) for pids in stage.living().values() for pid in pids if (found := strays(stage, pid))]
        return not stray
    if not until(none_stray, 2):
        raise Failure(f"processes of trees hold descriptors that they were not given: {stray}")
    for told in stage.tasks_told():
        held = descriptors(told["supervisor"], 0) if told["supervisor"] else {}
        if len(held) > MOST_SUPERVISOR_FDS:
            raise Failure(f"the supervisor of task {told['id']} holds {len(held)} descriptors: {held}")


def must(stage: Stage, *argv: str, code: int = 0) -> str:
    ran = stage(*argv)
    if ran.code != code:
        raise Failure(f"a verb that nothing was done to: {ran.words()}")
    return ran.out


def verbs_work(stage: Stage) -> None:
    must(stage, "ps")
    for told in stage.tasks_told():
        if told["problem"]:
            continue
        must(stage, "show", "--json", str(told["id"]))
        must(stage, "logs", "--raw", str(told["id"]))
        if told["lifecycle"] == "running":
            ran = stage("wait", "--timeout", "1ms", str(told["id"]))
            ended = must(stage, "ps", "-q", "-s", "ended", "-s", "failed", "-s", "lost").split()
            if ran.code != 124 and str(told["id"]) not in ended:    # it may have ended just then
                raise Failure(f"a wait of a millisecond: {ran.words()}")


def end_all(stage: Stage) -> None:
    before = stage.tasks_told()
    if any(told["lifecycle"] in ALIVE for told in before if not told["problem"]):
        must(stage, "kill", "--all", "--json")
    if stage.living():
        raise Failure(f"after kill --all there lives {stage.living()}: {before}")
    for told in stage.tasks_told():
        if not told["problem"] and told["lifecycle"] not in ("ended", "lost"):
            raise Failure(f"after kill --all bgt says {told['lifecycle']}: {told}")
    if not stage.end_of_trace(8):
        raise Failure(f"supervisor {stage.supervisor} lives on when its task has ended")
    none_lives(stage)


def none_lives(stage: Stage) -> None:
    """No supervisor, no helper: a supervisor says that its task has ended a moment before it ends itself."""
    left: list = []

    def none() -> bool:
        left[:] = [pid for pid, environment in stage.environments()
                   if f"BGT_ROOT={stage.root}".encode() in environment and pid != stage.tracer]
        return not left
    if not until(none, 8):
        raise Failure(f"when all tasks have ended there lives {left}")


def outcomes(stage: Stage) -> None:
    tasks = stage.tasks_told()
    for task in stage.tasks:
        told = stage.told(task, tasks)
        if not told or told["problem"]:
            continue
        outcome = told["outcome"]
        wrong = wrong_outcome(stage, task, told)
        if wrong:
            raise Failure(f"{wrong}: {told}; its command said {task.said('start')} {task.said('end')}")
        must(stage, "wait", str(told["id"]), code=outcome["exit_code"])
        if task.output is not None:
            output_is_right(stage, task, told)


def wrong_outcome(stage: Stage, task: Task, told: dict) -> str:
    outcome = told["outcome"]
    ends, starts = task.said("end"), task.said("start")
    match outcome["kind"]:
        case "exited":
            if not ends or int(ends[-1]) != outcome["code"]:
                return "an exit code that no one saw"
        case "signaled":
            if len(ends) >= told["attempt"]:    # one killed before its first word says neither
                return "a signal that did not end it"
        case "lost":
            # Who would have started it was killed before.
            never_started = stage.killed_cli() and told["pid"] is None
            if not stage.killed_supervisor() and not task.may_be_lost and not never_started:
                return "an exit status that is lost though no supervisor was killed"
        case "not-started":
            if not stage.killed_cli():  # which removes what did not start
                return "a task that did not start, and that is there"
        case "failed-to-start":
            if stage.shot.target != "supervisor" or not starts:
                return "a start that did not fail"
        case other:
            return f"an unknown outcome {other}"
    return ""


def output_is_right(stage: Stage, task: Task, told: dict) -> None:
    log = told["log"]
    kept = stage.log(told["id"])
    whole = not stage.killed_supervisor()
    dropped = log["dropped_bytes"] - log["freed_bytes"]     # never came to the log; freed is its head, given up later
    if whole and log["bytes"] + dropped != len(task.output):
        raise Failure(f"of {len(task.output)} bytes of output there is told {log}")
    if dropped == 0:
        end = task.output[log["freed_bytes"]:log["bytes"]]
        if not end.endswith(kept) or end and not kept:
            raise Failure(f"the log holds {len(kept)} bytes that are not the output: {kept[:80]!r}, {log}")


def names_are_free(stage: Stage) -> None:
    for name in sorted({task.name for task in stage.tasks if task.name}):
        task = stage.task(name)
        ran = stage.run(task, "finish 0")
        if ran.code != 0:
            raise Failure(f"the name {name} is stuck: {ran.words()}")
        must(stage, "wait", name)
    none_lives(stage)


def ids_are_new(stage: Stage) -> None:
    if sorted(set(stage.ids)) != stage.ids:
        raise Failure(f"ids were given out in this order: {stage.ids}")
    folders = [told["id"] for told in stage.tasks_told()]
    if len(set(folders)) != len(folders):
        raise Failure(f"an id is there twice: {folders}")


def make_old(root: pathlib.Path) -> None:
    """What is younger than a minute may belong to a run under way, and stays."""
    old = time.time() - 3600
    for folder, folders, files in os.walk(root, topdown=False):
        for name in folders + files:
            os.utime(os.path.join(folder, name), (old, old), follow_symlinks=False)


def listing(folder: pathlib.Path) -> list:
    return sorted(os.listdir(folder)) if folder.exists() else []


def nothing_stays(stage: Stage) -> None:
    """Folders half made or half removed, markers, sockets and names of what is gone."""
    make_old(stage.root)
    must(stage, "gc")
    if listing(stage.root / "active"):
        raise Failure(f"markers stay: {listing(stage.root / 'active')}")
    for task in listing(stage.root / "tasks"):
        if not task.isdigit():
            raise Failure(f"a folder stays: {task}")
        left = [name for name in listing(stage.root / "tasks" / task) if name in OF_LIVING_TASKS]
        if left:
            raise Failure(f"in the folder of task {task}, which has ended, there stay {left}")
    must(stage, "gc", "--keep", "0")
    left = listing(stage.root / "tasks") + [name for name in listing(stage.root / "names") if name not in (".lock",)]
    if left:
        raise Failure(f"after gc --keep 0 there stay {left}")
