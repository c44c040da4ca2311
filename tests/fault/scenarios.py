"""What is shot at: each scenario is a short life of a task. The verb (or the run whose supervisor) that is hit is
marked as the target; what the verb answers is checked here, what must always be so in invariants.py."""
import os
import pathlib
import signal

from harness import Failure, Ran, Stage, Task
from process_table import until

FAILED = (125,)
LONG = "trap 'finish 3' TERM; echo hello; say up yes; while :; do sleep 100 & wait $!; done"
SPEECH = b"".join(b"line %06d\n" % i for i in range(20000))


def refuse(why: str, ran: Ran) -> None:
    raise Failure(f"{why}: {ran.words()}")


def answered(ran: Ran, good: tuple) -> bool:
    """Whether the verb did what it was asked for. One that was hit may say that it failed, or be dead, no more; one
    whose task's supervisor was hit may not."""
    if ran.code in good:
        return True
    if ran.shot and (ran.code in FAILED + (-signal.SIGKILL,) or not ran.began()):
        return False
    refuse("a wrong answer", ran)
    return False


def started(stage: Stage, ran: Ran, task: Task) -> bool:
    """Whether the run says that the command was started. If it says that it was not, nothing of it may live."""
    shot_at = ran.shot or stage.shot.target == "supervisor"
    if ran.code == 0:
        if task.id is None:
            refuse("it ended with 0 and printed no id", ran)
        if not until(lambda: task.said("start"), 5):
            refuse("it printed the id of a command that was not started", ran)
        return True
    if not (shot_at and ran.code in (125, 126) or ran.shot and (ran.code == -signal.SIGKILL or not ran.began())):
        refuse("a wrong answer", ran)
    if ran.code > 0 and task.id is None and "runs, but its id could not be printed" not in ran.err:
        task.refused = True
    return False


def up(task: Task) -> None:
    if not until(lambda: task.said("up")):
        raise Failure(f"the command of {task.mark} did not come up")


def number(task: Task) -> str:
    return str(task.id)


def run(stage: Stage) -> None:
    task = stage.task("alpha")
    if started(stage, stage.run(task, "echo hello; finish 7", target="cli|supervisor"), task):
        task.output = b"hello\n"
        stage.wait_for(task, 7)


def ready(stage: Stage) -> None:
    task = stage.task("alpha")
    options = ("--ready-log", "hello", "--ready-timeout", "20s", "--wait-ready")
    ran = stage.run(task, LONG, *options, target="cli|supervisor")
    if ran.code in (120, 121) and stage.shot.target == "supervisor":
        return      # whoever can't watch for readiness must say so, and does
    if started(stage, ran, task) and not stage.killed_supervisor():
        told = stage.told(task, stage.tasks_told())
        if not told["ready"]:
            raise Failure(f"--wait-ready ended with 0, the task is not ready: {told}")


def output(stage: Stage) -> None:
    task = stage.task("alpha")
    speech = stage.folder / "speech"
    speech.write_bytes(SPEECH)
    if not started(stage, stage.run(task, f"cat {speech}; finish 5", target="supervisor"), task):
        return
    task.output = SPEECH
    stage.wait_for(task, 5)
    ran = stage("logs", "--raw", number(task), target="cli")
    whole = not stage.killed_supervisor() and stage.shot.target == "cli"
    if answered(ran, (0,)) and whole and ran.out.encode() != SPEECH:
        raise Failure(f"logs ended with 0 and printed {len(ran.out)} bytes of {len(SPEECH)}")


def loud(stage: Stage) -> None:
    """So loud that its output goes through a stage."""
    task = stage.task("alpha")
    speech = stage.folder / "speech"
    speech.write_bytes(SPEECH * 12)
    if not started(stage, stage.run(task, f"cat {speech}; finish 5", target="supervisor"), task):
        return
    task.output = SPEECH * 12
    stage.wait_for(task, 5)
    events = stage.root / "tasks" / number(task) / "events.jsonl"
    if "output-lost" in (events.read_text() if events.exists() else ""):
        raise Failure("output counts as lost, and nobody killed its keeper")


def stop(stage: Stage) -> None:
    task = stage.task("alpha")
    if not started(stage, stage.run(task, LONG, target="supervisor"), task):
        return
    up(task)
    ran = stage("kill", number(task), target="cli")
    if answered(ran, (0,)) and stage.living():
        refuse("kill ended with 0, and there lives", ran)


def wait(stage: Stage) -> None:
    task = stage.task("alpha")
    if not started(stage, stage.run(task, "sleep 0.15; finish 7", target="supervisor"), task):
        return
    ran = stage("wait", number(task), target="cli")
    answered(ran, (7, 122) if stage.killed_supervisor() else (7,))


def waited_run(stage: Stage) -> None:
    task = stage.task("alpha")
    ran = stage.run(task, "echo hello; sleep 0.1; finish 7", "--wait", target="cli|supervisor")
    if not ran.began():
        return
    if ran.shot or stage.shot.target == "supervisor":
        if ran.code not in (7, 125, 126, 122, -signal.SIGKILL) or ran.code == -signal.SIGKILL and not ran.shot:
            refuse("a wrong answer", ran)
    elif ran.code != 7 or ran.out != "hello\n":
        refuse("a wrong answer", ran)


def prune(stage: Stage) -> None:
    stage.root.mkdir(mode=0o700)
    (stage.root / "next-id").write_text("60\n")
    for name in ("one", "two", "three"):
        task = stage.task(name)
        stage.run(task, "echo hello; finish 0")
        stage.wait_for(task, 0)
    last = stage.task("four")       # number 64, whose supervisor tidies
    ran = stage.run(last, "echo hello; finish 2", target="supervisor")
    if started(stage, ran, last):
        stage.wait_for(last, 2)
    ran = stage("gc", "--keep", "1", target="cli")
    answered(ran, (0,))


def name_taken(stage: Stage) -> None:
    first = stage.task("alpha")
    if not started(stage, stage.run(first, LONG, target="supervisor"), first):
        return
    up(first)
    second = stage.task("alpha")
    ran = stage.run(second, "finish 1", target="cli")
    if ran.code == 0 or second.said("start"):
        refuse("the name of a living task was given to another", ran)
    if not answered(ran, (125,)):
        return
    ran = stage("run", "--name", "alpha", "--if-absent", "--anywhere", "-c", "exit 1")
    if ran.code != 0 or ran.out != f"{first.id}\n":
        refuse("--if-absent did not find the living task", ran)


def replaced(stage: Stage) -> None:
    first, second = stage.task("alpha"), stage.task("alpha")
    stage.run(first, LONG)
    up(first)
    ran = stage.run(second, LONG, "--replace", target="cli|supervisor")
    if started(stage, ran, second):
        if first.mark in stage.living():
            refuse("--replace ended with 0, and the old task lives", ran)
        up(second)


def retried(stage: Stage) -> None:
    task = stage.task("alpha")
    script = f"[ $(wc -l < {task.folder}/{task.mark}.start) -ge 3 ] && finish 0; finish 9"
    ran = stage.run(task, script, "--retries", "4", "--backoff", "20ms..20ms", target="supervisor")
    if not started(stage, ran, task):
        return
    ran = stage("wait", number(task), target="cli")
    answered(ran, (0,) if stage.shot.target == "cli" else (0, 9, 122, 126))


def again(stage: Stage) -> None:
    """`bgt retry`: a new task with the old one's options, and so with its mark."""
    task = stage.task("alpha")
    stage.run(task, "finish 7")
    stage.wait_for(task, 7)
    second = stage.task()
    second.mark = task.mark
    ran = stage("retry", number(task), target="cli|supervisor")
    if answered(ran, (0,) if stage.shot.target == "cli" else (0, 125, 126)) and ran.code == 0:
        second.id = int(ran.out)
        stage.ids.append(second.id)
        stage.wait_for(second, 7)


def leftover(stage: Stage) -> None:
    task = stage.task("alpha")
    script = "setsid sleep 300 & (setsid sh -c 'trap \"\" TERM; sleep 300 & wait' &) ; sleep 0.05; finish 4"
    if started(stage, stage.run(task, script, "--stop-signals", "TERM:200ms", target="supervisor"), task):
        ran = stage("wait", number(task), target="cli")
        if answered(ran, (4, 122) if stage.killed_supervisor() else (4,)) and stage.living():
            refuse("the task has ended, and there lives", ran)


def log_capped(stage: Stage) -> None:
    task = stage.task("alpha")
    speech = stage.folder / "speech"
    speech.write_bytes(SPEECH * 2)
    script = f"cat {speech}; finish 6"
    if not started(stage, stage.run(task, script, "--log-max", "64K", target="supervisor"), task):
        return
    task.output = SPEECH * 2
    stage.wait_for(task, 6)
    ran = stage("logs", "-n", "3", number(task), target="cli")
    whole = stage.shot.target == "cli"
    if answered(ran, (0,)) and whole and ran.out.encode() != b"".join(SPEECH.splitlines(True)[-3:]):
        refuse("the last three lines are wrong", ran)


def adopted(stage: Stage) -> None:
    task = stage.task("alpha", may_be_lost=True)
    stage.run(task, LONG)
    up(task)
    supervisor = stage.told(task, stage.tasks_told())["supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not pathlib.Path(f"/proc/{supervisor}").exists()) # until then its lock says that it lives
    ran = stage("ps", "--json", target="cli|supervisor")
    if not answered(ran, (0,)):
        return
    told = {}

    def taken_over() -> bool:
        told.update(stage.told(task, stage.tasks_told()))
        return told["lifecycle"] == "running" and told["adopted"]

    if not until(taken_over): # at once, unless the shot killed who took over, and that one is still dying
        raise Failure(f"a living task was not adopted: {told}")
    ran = stage("kill", number(task))
    if ran.code != 0 or stage.living():
        refuse("kill of an adopted task", ran)


def bereft(stage: Stage) -> None:
    """Its supervisor is killed, then all of the tree: it is lost, whoever says so."""
    task = stage.task("alpha", may_be_lost=True)
    stage.run(task, LONG)
    up(task)
    pids = [stage.told(task, stage.tasks_told())["supervisor"]] + stage.living()[task.mark]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not stage.living() and not pathlib.Path(f"/proc/{pids[0]}").exists())
    ran = stage("wait", number(task), target="cli")
    answered(ran, (122,))


def restarted(stage: Stage) -> None:
    task = stage.task("alpha")
    if not started(stage, stage.run(task, LONG, target="supervisor"), task):
        return
    up(task)
    ran = stage("restart", number(task), target="cli")
    if stage.shot.target == "supervisor":
        if ran.code not in (0, 125):
            refuse("a wrong answer", ran)
    else:
        answered(ran, (0,))


def sent(stage: Stage, what: str, code: int) -> None:
    """A command that reads a line, or end-of-file, ends with this code when `bgt send TASK WHAT` was said."""
    task = stage.task("alpha")
    script = "say up yes; read line; finish ${line:-6}"
    if not started(stage, stage.run(task, script, "--stdin", "pipe", target="supervisor"), task):
        return
    up(task)
    if answered(stage("send", number(task), what, target="cli"), (0,)):
        stage.wait_for(task, code)


def fed(stage: Stage) -> None:
    sent(stage, "4", 4)


def closed(stage: Stage) -> None:
    sent(stage, "--eof", 6)


def removed(stage: Stage) -> None:
    task = stage.task("alpha")
    if not started(stage, stage.run(task, "echo hello; finish 7", "--stdin", "pipe", target="supervisor"), task):
        return
    stage.wait_for(task, 7)
    ran = stage("rm", number(task), target="cli")
    if answered(ran, (0,)) and (stage.root / "tasks" / number(task)).exists():
        refuse("rm ended with 0, and the folder is there", ran)


def told_why(stage: Stage) -> None:
    task = stage.task("alpha")
    if not started(stage, stage.run(task, LONG, "--split", "--stdin", "pipe", target="supervisor"), task):
        return
    up(task)
    ran = stage("why", number(task), target="cli")
    if stage.shot.target == "supervisor":
        if ran.code not in (0, 125):
            refuse("a wrong answer", ran)
    else:
        answered(ran, (0,))


def hooked(stage: Stage) -> None:
    """A hook ends with its supervisor, whenever that dies; it runs at most once."""
    task = stage.task("alpha")
    done = task.folder / f"{task.mark}.hook"
    hook = f"setsid sleep 300 & echo once >> {done}; sleep 0.05"
    if not started(stage, stage.run(task, "finish 7", "--on-end", hook, target="supervisor"), task):
        return
    stage.wait_for(task, 7)
    if not stage.end_of_trace(15): # the hook begins after the end has been told
        raise Failure("the supervisor does not end")
    if not until(lambda: not stage.living(), 15):
        raise Failure(f"of the hook there lives {stage.living()}")
    said = done.read_text() if done.exists() else ""
    if said != "once\n" and not (said == "" and stage.shot.call > 0):
        raise Failure(f"the hook has run so: {said!r}")


SCENARIOS = {play.__name__: play for play in (
    run, ready, output, loud, stop, wait, waited_run, prune, name_taken, replaced, retried, again, leftover, log_capped,
    adopted, bereft, restarted, fed, closed, removed, told_why, hooked)}
