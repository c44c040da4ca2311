"""Stuck, and the cause is at the end of a chain: behind a terminal, an event loop, a lock, a debugger, a file system."""
import os
import subprocess
import time

from harness import PYTHON, Scenario, Skip
from stuck import PROGRAMS, SLOW, TALKS, asks, fifo, stuck, terminal

PTY_SPAWN = "import pty; pty.spawn(['sleep', '1000'])"

# The child fills its terminal, and its parent looks elsewhere.
FULL_TERMINAL = """
import os, pty, time
pid, master = pty.fork()
if pid == 0:
    while True: os.write(1, b"x" * 4096)
time.sleep(1000)
"""

LOOP = "import asyncio; asyncio.run(asyncio.Event().wait())"

LOOP_WITH_CHILD = """
import asyncio
async def main():
    child = await asyncio.create_subprocess_exec("sleep", "1000")
    await child.wait()
asyncio.run(main())
"""

LOOP_WITH_PIPE = """
import asyncio
async def main():
    child = await asyncio.create_subprocess_exec("sleep", "1000", stdout=-1, stderr=-1)
    await child.communicate()
asyncio.run(main())
"""

CONDITION = """
import threading
c = threading.Condition()
with c:
    while True: c.wait(0.2)
"""

SEMAPHORE = "import multiprocessing; multiprocessing.Semaphore(0).acquire()"
SYSTEM_V = "my $s = semget(0, 1, 0600); semop($s, pack('s3', 0, -1, 0))"

MENU = """
import os, selectors, socket, sys, tty
tty.setraw(0)
print("? Which one\\r\\n> first\\r\\n  second", end="\\r\\n", flush=True)
loop = selectors.DefaultSelector()
own, other = socket.socketpair()
loop.register(own, selectors.EVENT_READ)
loop.register(0, selectors.EVENT_READ)
loop.select()
"""

NODE_MENU = """
require('readline').emitKeypressEvents(process.stdin);
process.stdin.setRawMode(true); process.stdin.resume();
console.log('? Which one'); console.log('> first'); console.log('  second');
"""

NODE_STDIN = "console.log('Say something'); process.stdin.on('data', () => {})"

ABBA = ("flock {folder}/a sh -c 'sleep 0.5; flock {folder}/b true' & flock {folder}/b sh -c 'sleep 0.5; flock {folder}/a true' & wait")
HOLDER_SLEEPS = "flock {folder}/a sleep 1000 & sleep 0.3; flock {folder}/a true"

TICKER = """
package main

import "time"

func main() {
	for range time.Tick(200 * time.Millisecond) {
	}
}
"""


def shell(text):
    return lambda stage: text.format(folder=stage.folder)


def frozen(stage):
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        raise Skip("to mount a FUSE file system needs root and /dev/fuse")
    os.mkdir(stage.path("mnt"))
    stage.endings.append(lambda: subprocess.run(["umount", "-l", stage.path("mnt")], stderr=subprocess.DEVNULL))
    stage.releases.append(lambda: server.kill())  # the kernel gives up what it was asked
    server = stage.start(PYTHON, str(PROGRAMS / "frozen_fuse.py"), stage.path("mnt"), stage.path("ready"))
    deadline = time.monotonic() + 10
    while not os.path.exists(stage.path("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            raise Skip("no FUSE file system can be mounted here")
        time.sleep(0.02)


def no_helper_left(run):
    """Who gathered the report must not hang in the kernel as well."""
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and helper_in_d(pid, run.state["supervisor"])]
    return f"helpers in state D: {left}" if left else None


def helper_in_d(pid, supervisor):
    try:
        stat = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return stat[0] == "D" and int(stat[3]) == supervisor


def debugger(stage, run):
    time.sleep(0.3)
    gdb = subprocess.Popen(["gdb", "-q", "-nx", "-p", str(run.state["pid"])], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stage.releases.append(lambda: (gdb.kill(), gdb.wait()))  # until then nobody else can reap it


def build_ticker(stage):
    stage.write("main.go", TICKER)
    stage.run("go", "build", "-o", stage.path("ticker"), stage.path("main.go"), cwd=stage.folder)


def frozen_task(name, text, *words):
    """No signal ends it before the file system answers, so it is told of and not ended."""
    return Scenario(name, "stuck", shell(text), told=True, options=("--job",), verdicts=("blocked", "unkillable"),
                    words=words, setup=frozen, check=no_helper_left)


SCENARIOS = [
    stuck("sleep under script", terminal("sleep 1000"), "sleeping", words=("sleep (pid",), needs=TALKS),
    stuck("sleep under python's pty", [PYTHON, "-c", PTY_SPAWN], "sleeping", words=("sleep (pid",)),
    stuck("a terminal that nobody reads", [PYTHON, "-c", FULL_TERMINAL], "waits-pipe-reader",
          words=("/dev/pts/", "does not read: sleeps")),
    stuck("an event loop with nothing to do", [PYTHON, "-c", LOOP], "blocked", words=("event loop", "only it can wake")),
    stuck("an event loop with a child", [PYTHON, "-c", LOOP_WITH_CHILD], "sleeping", words=("sleep (pid",)),
    stuck("an event loop that reads a child", [PYTHON, "-c", LOOP_WITH_PIPE], "sleeping", words=("sleep (pid",)),
    frozen_task("cat of a frozen file system", "cat {folder}/mnt/file", "/mnt/file"),
    frozen_task("ls of a frozen file system", "ls -l {folder}/mnt", "ls", "/mnt"),
    stuck("a shell that opens a fifo in vfork", shell("cat <{folder}/fifo; true"), "waits-pipe-writer", setup=fifo,
          words=("opens", "fifo")),
    asks("a menu that ends with a newline", terminal(f"{{python}} -c '{MENU}'"), "python3", needs=TALKS),
    asks("node's keys", terminal(f"node -e \"{NODE_MENU}\""), "node", needs=(*TALKS, "node"), memory="", startup=2.0),
    asks("node, --stdin pipe", ["node", "-e", NODE_STDIN], "node", needs=("node",), memory="", startup=2.0),
    stuck("two flocks, one after the other", shell(ABBA), "deadlock", words=("/a", "/b", "flock (pid"), needs=("flock",)),
    stuck("the holder of the lock sleeps", shell(HOLDER_SLEEPS), "sleeping", words=("sleep (pid", "waits for the flock"),
          needs=("flock",)),
    Scenario("held by a debugger", "stuck", ["sleep", "1000"], told=True, options=("--job",), verdicts=("stopped",),
             words=("gdb", "debugger"), needs=("gdb",), during=debugger),
    stuck("a ticker of Go", lambda s: [s.path("ticker")], "polling", setup=build_ticker, needs=("go",), limit=SLOW,
          memory=""),
    stuck("timed waits for a condition", [PYTHON, "-c", CONDITION], "polling", limit=SLOW),
    stuck("tail -f, as a job", lambda s: ["tail", "-f", s.write("log", "one line\n")], "waits-file", words=("/log",),
          options=("--job",)),
    stuck("a semaphore of Python", [PYTHON, "-c", SEMAPHORE], "waits-lock", words=("semaphore",)),
    stuck("a semaphore of System V", ["perl", "-e", SYSTEM_V], "waits-lock", words=("semaphore",), needs=("perl",)),
    stuck("curl retries", ["curl", "--retry", "100", "--retry-connrefused", "--retry-delay", "1", "http://127.0.0.1:1/"],
          "polling", words=("retries", "connection refused"), needs=("curl",), limit=SLOW),
]
