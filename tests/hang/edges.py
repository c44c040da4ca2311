"""Edges: where counters, clocks and pids mislead."""
import json
import os
import signal
import time

from busy import BURSTS
from harness import PYTHON, Scenario

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


def starve(stage, run):
    """The supervisor gets no CPU for longer than the limit."""
    supervisor = run.state["supervisor"]
    time.sleep(0.7)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        time.sleep(2 * run.scenario.limit)
    finally:
        os.kill(supervisor, signal.SIGCONT)


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


def edge(name, command, *verdicts, **more):
    return Scenario(name, "edge", command, verdicts=verdicts, **more)


SCENARIOS = [
    edge("starved supervisor, busy task", [PYTHON, "-c", BURSTS], during=starve),
    edge("paused for longer than the limit", [PYTHON, "-c", BURSTS], during=pause),
    edge("a heavy child that ends", [PYTHON, "-c", HEAVY_CHILD], heavy=True),
    edge("a question that is answered", [PYTHON, "-c", WAIT_THEN_WORK], asks=True, options=("--stdin", "pipe"), during=answer),
    edge("heartbeats only", [PYTHON, "-c", BEATS, "1000"]),
    edge("heartbeats by bgt notify", lambda s: f"while :; do '{s.lab.bgt}' notify --beat; sleep 0.5; done"),
    edge("heartbeats that cease", [PYTHON, "-c", BEATS, "3"], "sleeping", "blocked", stuck=True, startup=3.5),
    edge("500 sleeping processes", [PYTHON, "-c", FOREST], "sleeping", "blocked", "waits-child", stuck=True, startup=2.0,
         check=bounded),
    edge("the same lines without end", [PYTHON, "-c", SAME_LINES], "spinning", stuck=True, limit=8.0),
    edge("clock set back", "", skip="would change the machine's clock; bgt reads only monotonic clocks, and the tests of the core shift them"),
    edge("a pid used again", "", skip="can't be forced here; the unit tests of the samples have it"),
]
