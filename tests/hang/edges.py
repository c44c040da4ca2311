"""Edges: where counters, clocks and pids mislead."""
import json
import os
import signal
import time

from busy import BURSTS
from harness import PYTHON, Lab, Scenario, Skip, children

FOREST = """
import os, signal
for _ in range(500):
    if os.fork() == 0: signal.pause()
signal.pause()
"""

# The child's CPU leaves the totals of the tree when it ends; what follows is little, but work.
HEAVY_CHILD = f"""
import subprocess, sys
burn = "import time\\nwhile time.process_time() < 2: pass"
subprocess.run([sys.executable, "-c", burn])
{BURSTS.replace("0.15", "0.05").replace("0.85", "0.4")}
"""

SAME_LINES = """
import time
while True:
    print("connection refused, trying again\\n" * 100, end="", flush=True)
    time.sleep(0.5)
"""

BEATS = """
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    s.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"])
    time.sleep(0.5)
time.sleep(1000)
"""

WAIT_THEN_WORK = f"""
input("Go on? ")
{BURSTS}
"""


# The same pid for one child after the other: each works as much as the one before, so that its CPU looks unchanged.
SAME_PID = """
import os, time
def work(seconds):
    while time.process_time() < seconds: pass
def fork_as(pid):
    while True:  # somebody else may take it first
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write(str(pid - 1))
        child = os.fork()
        if child == 0 and os.getpid() == pid: return 0
        if child == 0: os._exit(0)
        if child == pid: return child
        os.waitpid(child, 0)
def child_of(pid, seconds, rest):
    if fork_as(pid) == 0:
        work(seconds)
        time.sleep(rest)
        os._exit(0)
    os.waitpid(pid, 0)
"""

WORK_UNDER_ONE_PID = SAME_PID + """
while True: child_of(3000, 0.1, 0.2)
"""

IDLE_UNDER_ONE_PID = SAME_PID + """
child_of(3000, 1.5, 0)
child_of(3000, 0, 1000)
"""


def own_pids(stage):
    """A namespace of pids, whose next pid can be chosen without harm to others, with a first process that reaps."""
    if os.getuid() != 0:
        raise Skip("a namespace of pids needs root")
    reaper = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); print(flush=True); signal.pause()"
    ready = stage.path("ready")
    outer = stage.start("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
                        f"exec '{PYTHON}' -c '{reaper}' >'{ready}'")
    deadline = time.monotonic() + 10
    while not (os.path.exists(ready) and os.path.getsize(ready)):
        if outer.poll() is not None or time.monotonic() > deadline:
            raise Skip("no namespace of pids can be made here")
        time.sleep(0.02)
    inner = str(children(outer.pid)[0])
    prefix = ("nsenter", "--target", inner, "--pid", "--mount", "--root", "--wd")
    stage.run(*prefix, "sh", "-c", "test -w /proc/sys/kernel/ns_last_pid")
    stage.lab = Lab(stage.lab.bgt, stage.lab.fixture, stage.folder, prefix)


def freeze(stage, run):
    """The supervisor and all of the tree stand still, as in a machine that is stopped from outside."""
    time.sleep(0.7)
    pids = [run.state["supervisor"]]
    for pid in pids:
        pids += children(pid)
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2 * run.scenario.limit)
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def starve(stage, run):
    """The supervisor gets no CPU for longer than the limit."""
    supervisor = run.state["supervisor"]
    time.sleep(0.7)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        time.sleep(2 * run.scenario.limit)
    finally:
        os.kill(supervisor, signal.SIGCONT)


def not_early(run):
    """While nothing ran, its time did not run either: 0.7 s, the stand of twice the limit, and then the limit anew."""
    least = 0.7 + 3 * run.scenario.limit
    return f"ended after {run.state['duration_s']} s, before {least:g} s" if run.state["duration_s"] < least else None


def pause(stage, run):
    time.sleep(0.7)
    run.lab.call("pause", run.id)
    time.sleep(2 * run.scenario.limit)
    run.state = run.show()
    paused = run.state["paused"]
    run.lab.call("resume", run.id)
    if not paused:
        raise RuntimeError("it was not paused")


def answer(stage, run):
    time.sleep(run.scenario.limit * 0.6)
    run.lab.call("send", run.id, "y")


def bounded(run):
    """500 processes make no report of a megabyte, and none that takes seconds."""
    report = run.report(last=True)
    size = len(json.dumps(report))
    if size > 256 * 1024:
        return f"a report of {size} bytes"
    listed = len(report["evidence"]["processes"])
    if listed + report["evidence"]["more_processes"] < 501:
        return f"only {listed} processes, and {report['evidence']['more_processes']} more"
    return None


CALENDAR = ("no namespace shifts the calendar and bgt is static, so only the machine's own clock could be set; "
            "output_age_test.cpp and words_test.cpp of tests/unit shift theirs")


def edge(name, command, *verdicts, **more):
    return Scenario(name, "edge", command, verdicts=verdicts, **more)


SCENARIOS = [
    edge("starved supervisor, busy task", [PYTHON, "-c", BURSTS], during=starve),
    edge("paused for longer than the limit", [PYTHON, "-c", BURSTS], during=pause),
    edge("all stand still, a busy task", [PYTHON, "-c", BURSTS], during=freeze),
    edge("all stand still, a stuck task", ["sleep", "1000"], "sleeping", stuck=True, during=freeze, startup=6.0,
         check=not_early),
    edge("a heavy child that ends", [PYTHON, "-c", HEAVY_CHILD], heavy=True),
    edge("a question that is answered", [PYTHON, "-c", WAIT_THEN_WORK], asks=True, options=("--stdin", "pipe"),
         during=answer),
    edge("heartbeats only", [PYTHON, "-c", BEATS, "1000"]),
    edge("heartbeats only, --idle-timeout", [PYTHON, "-c", BEATS, "1000"], rule="idle-timeout"),
    edge("heartbeats by bgt notify", lambda s: f"while :; do '{s.lab.bgt}' notify --beat; sleep 0.5; done"),
    edge("heartbeats that cease", [PYTHON, "-c", BEATS, "3"], "sleeping", "blocked", stuck=True, startup=3.5),
    edge("500 sleeping processes", [PYTHON, "-c", FOREST], "sleeping", "blocked", "waits-child", stuck=True,
         startup=2.0, check=bounded),
    edge("the same lines without end", [PYTHON, "-c", SAME_LINES], "spinning", "polling", stuck=True, limit=8.0),
    edge("clock set back", "", skip=CALENDAR),
    edge("a pid used again, by work", [PYTHON, "-c", WORK_UNDER_ONE_PID], setup=own_pids, needs=("unshare", "nsenter")),
    edge("a pid used again, by an idle one", [PYTHON, "-c", IDLE_UNDER_ONE_PID], "sleeping", "waits-child", stuck=True,
         setup=own_pids, startup=2.5, heavy=True, needs=("unshare", "nsenter")),
]
