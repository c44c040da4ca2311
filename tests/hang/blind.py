"""Written, with verdict and cause, before the first run: fifteen that are stuck, ten that work, five that serve. The score of
that run is in docs/hangs.md."""
import os

from busy import busy, random_file
from harness import PYTHON, Scenario
from stuck import SLOW, TALKS, asks, silent_server, stuck, terminal

# A pool whose only worker waits for a job that nobody gives it.
POOL = """
import concurrent.futures, threading
gate = threading.Event()
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda _: gate.wait(), range(2)))
"""

PIPE_BOTH = """
import subprocess
p = subprocess.Popen(["cat"], stdin=-1, stdout=-1)
p.stdin.write(b"x" * (4 << 20))
"""

PROCESS_QUEUE = """
import multiprocessing
def work(q): q.get()
q = multiprocessing.Queue()
p = multiprocessing.Process(target=work, args=(q,))
p.start(); p.join()
"""

UNIX_SERVER = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
c = s.accept()[0]
time.sleep(1000)
"""

UNIX_CLIENT = """
import socket, sys, time
while True:
    s = socket.socket(socket.AF_UNIX)
    try: s.connect(sys.argv[1]); break
    except OSError: time.sleep(0.1)
s.recv(1)
"""

SELECT_TIMED = """
import select, os
while not os.path.exists("/nonexistent/file"): select.select([], [], [], 0.25)
"""

SIGNAL_WAIT = "import signal; signal.sigwait([signal.SIGUSR1])"

SQLITE = """
import sqlite3, sys, time
a = sqlite3.connect(sys.argv[1]); a.execute("create table t (x)"); a.commit(); a.execute("begin exclusive")
b = sqlite3.connect(sys.argv[1], timeout=1000)
b.execute("insert into t values (1)")
"""

NODE_PROMISE = "require('net').connect(Number(process.argv[1]), '127.0.0.1').on('data', () => {})"

JAVA_QUEUE = """
import java.util.concurrent.*;
public class Take {
    public static void main(String[] a) throws Exception { new LinkedBlockingQueue<String>().take(); }
}
"""

GO_CHANNEL = """
package main

import (
	"os"
	"os/signal"
)

func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	<-c
}
"""

ZIP_WORK = """
import zlib, os
data = os.urandom(1 << 20)
while True: zlib.compress(data, 9)
"""

PIPELINE_SLOW = """
import os, time
while True:
    os.write(1, b"y" * 2048 + b"\\n")
    time.sleep(0.3)
"""

UNIX_STREAM = """
import os, socket, sys, time
a, b = socket.socketpair()
if os.fork() == 0:
    a.close()
    f = b.makefile("rb")
    while f.read(512): pass
b.close()
f = a.makefile("wb", buffering=0)
while True:
    f.write(b"x" * 2048); time.sleep(0.3)
"""

WALK = """
import os
while True:
    for root, dirs, files in os.walk("/usr/share"):
        for name in files: os.lstat(os.path.join(root, name))
"""

LOOP_WORK = """
import asyncio
async def part():
    while True:
        sum(i * i for i in range(60000)); await asyncio.sleep(0.2)
async def main(): await asyncio.gather(part(), part())
asyncio.run(main())
"""

ASYNC_SERVER = """
import asyncio, sys
async def talk(r, w): await r.read()
async def main():
    s = await asyncio.start_server(talk, "127.0.0.1", 0)
    await s.serve_forever()
asyncio.run(main())
"""

THREADED_SERVER = """
import http.server
http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler).serve_forever()
"""

UNIX_LISTENER = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); s.accept()
"""


def go_channel(stage):
    stage.write("main.go", GO_CHANNEL)
    stage.run("go", "build", "-o", stage.path("channel"), stage.path("main.go"), cwd=stage.folder)


def idle(name, command, *verdicts, **more):
    return Scenario("blind: " + name, "job", command, told=True, options=("--job",), verdicts=verdicts, **more)


def git_repository(stage):
    stage.run("git", "init", "-q", stage.path("repo"))


STUCK = [
    stuck("blind: a pool of threads", [PYTHON, "-c", POOL], "deadlock", words=("python3",)),
    stuck("blind: both ends want to write", [PYTHON, "-c", PIPE_BOTH], "deadlock", words=("cat", "python3")),
    stuck("blind: a queue between processes", [PYTHON, "-c", PROCESS_QUEUE], "waits-pipe-writer", "deadlock"),
    stuck("blind: a silent server inside the tree",
          lambda s: f"'{PYTHON}' -c '{UNIX_SERVER}' {s.path('u')} & exec '{PYTHON}' -c '{UNIX_CLIENT}' {s.path('u')}",
          "sleeping"),
    stuck("blind: select with a timeout in a loop", [PYTHON, "-c", SELECT_TIMED], "polling", limit=SLOW),
    stuck("blind: sigwait", [PYTHON, "-c", SIGNAL_WAIT], "blocked", words=("the signal SIGUSR1",)),
    stuck("blind: sqlite that is locked by itself", lambda s: [PYTHON, "-c", SQLITE, s.path("db")], "polling", "sleeping",
          limit=SLOW),
    stuck("blind: node and a silent peer", lambda s: ["node", "-e", NODE_PROMISE, s.values["port"]], "waits-network",
          setup=silent_server, needs=("node",), memory="", startup=2.0, words=("127.0.0.1:",)),
    stuck("blind: an empty queue of Java", lambda s: ["java", s.write("Take.java", JAVA_QUEUE)], "blocked",
          needs=("java", "javac"), memory="", limit=4.0, startup=4.0),
    stuck("blind: a channel of Go", lambda s: [s.path("channel")], "blocked", setup=go_channel, needs=("go",), memory="",
          words=("goroutine",)),
    stuck("blind: make behind a recipe that sleeps",
          lambda s: ["make", "-s", "-f", s.write("Makefile", "all:\n\tsleep 1000\n")], "sleeping", words=("sleep (pid",),
          needs=("make",)),
    stuck("blind: xargs behind a fifo", lambda s: (os.mkfifo(s.path("q")), f"xargs -n1 echo <{s.path('q')}")[1],
          "waits-pipe-writer", words=("/q",)),
    asks("blind: bash select", terminal("bash -c \"select x in a b; do break; done\""), "bash", needs=(*TALKS, "bash")),
    asks("blind: less", lambda s: terminal("less " + s.write("text", "one\n" * 500))(s), "less", needs=(*TALKS, "less")),
    stuck("blind: a pipeline whose first part waits for the network",
          lambda s: f"curl -s http://127.0.0.1:{s.values['port']}/ | grep -c x | sort", "waits-network",
          setup=silent_server, needs=("curl",), words=("curl", "127.0.0.1:")),
]

BUSY = [
    busy("blind: zlib in python", [PYTHON, "-c", ZIP_WORK], heavy=True),
    busy("blind: a slow pipeline", lambda s: f"'{PYTHON}' -c '{PIPELINE_SLOW}' | cat | wc -c"),
    busy("blind: a stream between two processes", [PYTHON, "-c", UNIX_STREAM],
         known="the kernel counts no bytes of send(2) and recv(2) at local sockets"),
    busy("blind: a walk over files", [PYTHON, "-c", WALK], heavy=True),
    busy("blind: an event loop that works", [PYTHON, "-c", LOOP_WORK], limit=SLOW),
    busy("blind: gcc through make", heavy=True, needs=("make", "gcc"),
         command=lambda s: (s.write("a.c", "\n".join(f"int f{i}(int x){{return x*{i};}}" for i in range(20000))),
                            ["make", "-s", "-f", s.write("M", f"all:\n\twhile :; do gcc -O2 -c {s.path('a.c')} -o {s.path('a.o')}; done\n")])[1]),
    busy("blind: gzip of a file", heavy=True, setup=random_file(16 << 20),
         command=lambda s: f"while :; do gzip -9 -c {s.path('data')} >/dev/null; done"),
    busy("blind: sha256sum again and again", heavy=True, setup=random_file(16 << 20),
         command=lambda s: f"while :; do sha256sum {s.path('data')} >/dev/null; done"),
    busy("blind: perl that counts", ["perl", "-e", "my $x = 0; while (1) { $x = ($x * 7 + 1) % 1000003 }"], heavy=True,
         needs=("perl",)),
    busy("blind: cp under pv's rate, by dd", heavy=False,
         command="while :; do dd if=/dev/zero bs=4096 count=2 2>/dev/null; sleep 0.2; done | cat >/dev/null"),
]

IDLE = [
    idle("asyncio server", [PYTHON, "-c", ASYNC_SERVER], "idle"),
    idle("threaded http server", [PYTHON, "-c", THREADED_SERVER], "idle"),
    idle("a listener on a local socket", lambda s: [PYTHON, "-c", UNIX_LISTENER, s.path("l")], "idle"),
    idle("git daemon", lambda s: ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", "--port=19418",
                                  "--base-path=" + s.path("repo")], "idle", setup=git_repository, needs=("git",)),
    idle("php or perl listener", ["perl", "-MIO::Socket::INET", "-e",
                                  "my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1'); $s->accept"], "idle",
         needs=("perl",)),
]

SCENARIOS = STUCK + BUSY + IDLE
