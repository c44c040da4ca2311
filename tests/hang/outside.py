"""Stuck, and who could end the wait is outside of what shows: a signal, a daemon that has a pipe open, the holder of a lock."""
import subprocess
import sys

from harness import PYTHON, Scenario, Skip
from stuck import SLOW, stuck

EVENT = """
import signal, threading
stop = threading.Event(); signal.signal(signal.SIGTERM, lambda *a: stop.set())
stop.wait()
"""

LISTENER = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); s.accept()"

LOCKED = """
import sqlite3, sys, time
d = sqlite3.connect(sys.argv[1]); d.execute("create table t (x)"); d.commit(); d.execute("begin exclusive")
print("locked", flush=True); time.sleep(1000)
"""

INSERT = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=1000).execute("insert into t values (1)")
"""

TRACED = ["gdb", "-q", "-nx", "-batch", "-ex", "starti", "-ex", "python import time; time.sleep(1000)", sys.executable]


def locked(stage):
    """Until the other one says that it has the lock."""
    holder = subprocess.Popen([PYTHON, "-c", LOCKED, stage.path("app.db")], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stage.endings.append(lambda: (holder.kill(), holder.wait(), holder.stdout.close()))
    if holder.stdout.readline() != b"locked\n":
        raise Skip("no database can be locked here")


SCENARIOS = [
    # It ends by SIGTERM with a code of its own, as its handler was made for that.
    stuck("an event that a handler would set", [PYTHON, "-c", EVENT], "blocked", words=("nobody in the tree is seen to wake",)),
    stuck("a daemon that has a pipe open", lambda s: f"v=$('{PYTHON}' -c '{LISTENER}' {s.path('u')} & echo started); echo $v",
          "waits-pipe-writer", words=("for the end of a pipe", "still holds open")),
    stuck("a database that another has locked", lambda s: [PYTHON, "-c", INSERT, s.path("app.db")], "polling", setup=locked,
          limit=SLOW, words=("/app.db is locked by",)),
    stuck("tar into a fifo", lambda s: f"mkfifo {s.path('f')}; exec tar cf {s.path('f')} /etc/hostname", "waits-pipe-reader",
          needs=("tar",), words=("/f to write into it",)),
    Scenario("a debugger and what it runs", "stuck", TRACED, told=True, options=("--job",), verdicts=("stopped",),
             words=("gdb", "debugger"), needs=("gdb",)),
]
