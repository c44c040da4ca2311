"""Stuck: each must be ended by --progress-timeout, and the report must say why."""
import http.server
import json
import os
import pathlib
import socket
import threading
import time

from harness import PYTHON, Scenario

PROGRAMS = pathlib.Path(__file__).parent / "programs"

THREADS = """
import threading, time
a, b = threading.Lock(), threading.Lock()
def lock(x, y):
    with x:
        time.sleep(0.2)
        with y: pass
t = threading.Thread(target=lock, args=(b, a))
t.start()
lock(a, b)
"""

EMPTY_QUEUE = "import queue; queue.Queue().get()"

TWO_PIPES = """
import os
a, b = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(a[1]); os.close(b[0])
    os.read(a[0], 1)
else:
    os.close(a[0]); os.close(b[1])
    os.read(b[0], 1)
"""

RECEIVE = """
import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1)
"""

LOCKF = """
import fcntl, sys
fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX)
"""

HOLD_LOCKF = """
import fcntl, sys, time
f = open(sys.argv[1], "w")
fcntl.lockf(f, fcntl.LOCK_EX)
open(sys.argv[1] + ".held", "w").close()
time.sleep(300)
"""

POLL_FILE = """
import os, time
while not os.path.exists("/nonexistent/file"): time.sleep(0.2)
"""

SPINNER = """
import itertools, sys, time
for c in itertools.cycle("|/-\\\\"):
    sys.stdout.write("\\r" + c + " installing dependencies")
    sys.stdout.flush()
    time.sleep(0.1)
"""

COUNTER = """
import itertools, time
for n in itertools.count(1):
    print(f"still waiting for the lock ({n} s)", flush=True)
    time.sleep(0.25)
"""

INPUT = 'input("Your name: ")'
GETPASS = 'import getpass; getpass.getpass("Token: ")'

WORK_THEN_HANG = """
import threading, time
end = time.monotonic() + 2.5
while time.monotonic() < end: pass
threading.Event().wait()
"""


def silent_server(stage):
    listener = socket.create_server(("127.0.0.1", 0))
    stage.endings.append(listener.close)
    stage.values["port"] = str(listener.getsockname()[1])


def server_that_asks(stage):
    """401: git then asks for a name."""
    silent_listener = socket.create_server(("127.0.0.1", 0))
    stage.endings.append(silent_listener.close)
    stage.values["port"] = str(silent_listener.getsockname()[1])
    answer = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def accept():
        try:
            while True:
                client = silent_listener.accept()[0]
                client.recv(65536)
                client.sendall(answer)
                client.close()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()


class Registry(http.server.BaseHTTPRequestHandler):
    """Offers every package, so that npx asks whether to install it. It never gets to ask for the package itself."""

    def do_GET(self):
        name = self.path.strip("/")
        version = {"name": name, "version": "1.0.0", "bin": {name: "main.js"},
                   "dist": {"tarball": "http://127.0.0.1:1/none.tgz", "shasum": "0" * 40}}
        answer = json.dumps({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def registry(stage):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    stage.endings.append(lambda: (server.shutdown(), server.server_close()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stage.values["port"] = str(server.server_address[1])


# npx has answers of its own where it takes the place for a CI system, or its user's settings hold one.
NPX = ("env -u CI -u npm_config_yes npm_config_userconfig=/dev/null npm_config_cache={folder}/cache "
       "npm_config_registry=http://127.0.0.1:{port} npx a-package-that-is-not-installed")


PACKAGES = """Package: harmless
Status: install ok installed
Maintainer: Nobody <nobody@example.org>
Architecture: all
Version: 1.0
Description: nothing

Package: needs-it
Status: install ok installed
Maintainer: Nobody <nobody@example.org>
Architecture: all
Version: 1.0
Depends: harmless
Description: nothing

"""

# All its folders are its own, and what would remove a package is false(1): nothing of the machine is touched.
APT = "apt-get -o Dir={folder} -o Dir::State::status={folder}/status -o Dir::Bin::dpkg=/bin/false remove harmless"


def packages(stage):
    """A package that another one depends on: to remove it, apt asks first."""
    for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
                 "var/cache/apt/archives/partial", "var/log/apt"):
        (stage.folder / name).mkdir(parents=True)
    stage.write("status", PACKAGES)


def hold_flock(stage):
    lock = stage.write("lock", "")
    stage.values["holder"] = str(stage.start("flock", lock, "sleep", "300").pid)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if any(str(os.stat(lock).st_ino) in line and "FLOCK" in line for line in open("/proc/locks")):
            return
        time.sleep(0.02)


def hold_lockf(stage):
    stage.write("file", "")
    stage.start(PYTHON, "-c", HOLD_LOCKF, stage.path("file"))
    deadline = time.monotonic() + 5
    while not os.path.exists(stage.path("file.held")) and time.monotonic() < deadline:
        time.sleep(0.02)


def fifo(stage):
    os.mkfifo(stage.path("fifo"))


def full_pipe(stage):
    return f"'{PYTHON}' -c 'import os\nwhile True: os.write(1, b\"x\" * 4096)' | sleep 300"


def compile_vfork(stage):
    stage.run("cc", str(PROGRAMS / "vfork.c"), "-o", stage.path("vfork"))


def fixture(*words):
    return lambda stage: [stage.lab.fixture, "stuck", *(word.format(folder=stage.folder) for word in words)]


def terminal(command):
    """script(1) gives it a terminal of its own; with a stdin that ends, it would end the terminal's as well."""
    def words(stage):
        return ["script", "-qec", command.format(python=PYTHON, folder=stage.folder, **stage.values), "/dev/null"]
    return words


def stuck(name, command, *verdicts, words=(), **more):
    return Scenario(name, "stuck", command, stuck=True, verdicts=verdicts, words=words, **more)


def asks(name, command, *words, **more):
    return stuck(name, command, "waiting-input", words=("waiting for input", *words), options=("--stdin", "pipe"),
                 **more)


# Poll loops use a little CPU all the time. It is counted in ticks of 10 ms, of which a single one is busy in a look
# shorter than a second; looks come at a quarter of the limit.
SLOW = 8.0
TALKS = ("script",)

SCENARIOS = [
    stuck("futex deadlock, C++", fixture("futex"), "deadlock", words=("deadlock", "futex")),
    stuck("deadlock of Python threads", [PYTHON, "-c", THREADS], "deadlock"),
    stuck("deadlock of Java threads", ["java", str(PROGRAMS / "Deadlock.java")], "deadlock", needs=("java", "javac"),
          memory="", limit=4.0, startup=4.0, words=("java", "stack dump")),
    stuck("Java threads that poll", ["java", str(PROGRAMS / "Polls.java")], "sleeping", "polling",
          needs=("java", "javac"), memory="", limit=4.0, startup=4.0),
    stuck("an empty queue, Python", [PYTHON, "-c", EMPTY_QUEUE], "deadlock", "blocked"),
    stuck("two processes, two pipes", [PYTHON, "-c", TWO_PIPES], "deadlock"),
    stuck("a pipe nobody drains", full_pipe, "waits-pipe-reader", words=("sleep",)),
    stuck("a pipe nobody drains, C++", fixture("pipe"), "waits-pipe-reader"),
    stuck("an editor without a terminal", lambda s: ["vim", "-u", "NONE", "-n", str(s.folder / "text")], "waiting-input",
          needs=("vim",), words=("vim", "reads its stdin"), startup=4.0),
    stuck("recv from a silent peer", lambda s: [PYTHON, "-c", RECEIVE, s.values["port"]], "waits-network",
          setup=silent_server, words=("waits for the network", "127.0.0.1:")),
    stuck("curl and a silent peer", lambda s: ["curl", "-s", f"http://127.0.0.1:{s.values['port']}/"], "waits-network",
          setup=silent_server, needs=("curl",), words=("curl", "127.0.0.1:")),
    stuck("connect to a full backlog", fixture("connect"), "connecting", words=("127.0.0.1:",)),
    stuck("flock held by another", lambda s: ["flock", s.path("lock"), "true"], "waits-lock", setup=hold_flock,
          needs=("flock",), words=("held by pid", "flock")),
    stuck("fcntl lock held by another", lambda s: [PYTHON, "-c", LOCKF, s.path("file")], "waits-lock", setup=hold_lockf,
          words=("held by pid",)),
    stuck("flock held by its own parent", lambda s: ["flock", s.path("lock"), "flock", s.path("lock"), "true"],
          "deadlock", needs=("flock",)),
    stuck("a fifo nobody writes", lambda s: ["cat", s.path("fifo")], "waits-pipe-writer", setup=fifo,
          words=("fifo", "cat")),
    stuck("waitpid on a stopped child", fixture("stopped-child"), "stopped"),
    stuck("until loop that polls for ever", "until test -e /nonexistent/file; do sleep 0.3; done", "polling",
          limit=SLOW),
    stuck("curl in a loop, port closed", "until curl -s http://127.0.0.1:1/; do sleep 2; done", "polling", limit=SLOW,
          needs=("curl",)),
    stuck("python polls for a file", [PYTHON, "-c", POLL_FILE], "polling", limit=SLOW),
    stuck("spinner that repaints for ever", [PYTHON, "-c", SPINNER], "spinning", limit=SLOW, words=("installing",)),
    stuck("the same line, a new number", [PYTHON, "-c", COUNTER], "spinning", limit=SLOW, words=("still waiting",)),
    stuck("a zombie's parent", fixture("zombie"), "zombie-parent"),
    stuck("a long sleep", ["sleep", "1000"], "sleeping", words=("sleep",)),
    stuck("sleep infinity", ["sleep", "infinity"], "sleeping", "blocked", words=("sleep",)),
    stuck("stopped by SIGSTOP", "kill -STOP $$", "stopped"),
    stuck("state D: vfork", lambda s: [s.path("vfork")], "blocked", setup=compile_vfork, needs=("cc",), words=("in pause",)),
    stuck("works, then waits for ever", [PYTHON, "-c", WORK_THEN_HANG], "deadlock", "blocked", startup=3.0, heavy=True),
    asks("git asks for a name", terminal("git -c credential.helper= clone http://127.0.0.1:{port}/x {folder}/x"),
         "git", "Username", setup=server_that_asks, needs=(*TALKS, "git")),
    asks("ssh-keygen asks", terminal("ssh-keygen -t ed25519 -f {folder}/key"), "ssh-keygen", "passphrase",
         needs=(*TALKS, "ssh-keygen")),
    asks("python input(), terminal", terminal(f"{{python}} -c '{INPUT}'"), "Your name", needs=TALKS),
    asks("python input(), --stdin pipe", [PYTHON, "-c", INPUT], "Your name"),
    asks("python getpass", terminal(f"{{python}} -c '{GETPASS}'"), "Token", needs=TALKS),
    asks("read in a shell, --stdin pipe", "printf 'Go on? (y/n) '; read answer", "Go on?"),
    asks("rm -i", terminal("rm -i {folder}/precious"), "remove", needs=TALKS, setup=lambda s: s.write("precious", "")),
    asks("stopped by SIGTTIN", terminal("bash -c \"set -m; cat & sleep 600\""), "cat", "SIGTTIN",
         needs=(*TALKS, "bash")),
    asks("stopped by SIGTTOU", terminal("bash -c \"set -m; stty tostop & sleep 600\""), "stty", "SIGTTOU",
         needs=(*TALKS, "bash")),
    asks("npx asks", terminal(NPX), "Ok to proceed?", setup=registry, needs=(*TALKS, "npx"), memory="", limit=4.0,
         startup=4.0),
    asks("apt asks", terminal(APT), "apt-get", "continue?", setup=packages, needs=(*TALKS, "apt-get")),
]
