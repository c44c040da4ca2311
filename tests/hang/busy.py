"""Busy but quiet: they work and print nothing, or next to nothing. None may be ended."""
import importlib.util
import os
import socket
import threading
import time

from harness import PYTHON, Scenario, Skip

HEAVY_TEMPLATES = """
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <tuple>
#include <variant>
template <int N, int M> struct Sum {
    static constexpr unsigned value = Sum<N - 1, M>::value * 31u + Sum<N - 1, M + 1>::value;
};
template <int M> struct Sum<0, M> { static constexpr unsigned value = M; };
unsigned total() { return Sum<700, 0>::value; }
std::map<std::string, std::variant<int, std::regex>> things;
"""

TESTS = """
import time, unittest
class Slow(unittest.TestCase):
    def test_slow(self):
        end = time.monotonic() + 60
        n = 0
        while time.monotonic() < end:
            print("captured", n)
            n += sum(i * i for i in range(100000))
"""

BURSTS = """
import time
while True:
    end = time.process_time() + 0.15
    while time.process_time() < end: pass
    time.sleep(0.85)
"""

CHILD_IN_BURSTS = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURSTS!r}])"

FSYNC = """
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
while True:
    os.pwrite(fd, os.urandom(65536), 0)
    os.fsync(fd)
    time.sleep(0.4)
"""

READ_SOCKET = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while s.recv(1024): pass
"""

WRITE_SOCKET = """
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    s.sendall(b"x" * 1024)
    time.sleep(0.25)
"""

NEW_WORDS = """
import time
words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau".split()
for a in words:
    for b in words:
        print("compiled", a, b, flush=True)
        time.sleep(0.7)
"""

# No network, no disk: the kernel counts what goes through read(2) and write(2).
SOCKET_PAIR = """
import os, socket, time
a, b = socket.socketpair()
if os.fork() == 0:
    a.close()
    while os.read(b.fileno(), 4096): pass
    os._exit(0)
b.close()
while True:
    os.write(a.fileno(), b"x" * 1024)
    time.sleep(0.25)
"""

FEED = """
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
while True:
    os.write(fd, b"x" * 8192)
    time.sleep(0.25)
"""

# By its own CPU: on a loaded machine 60 ms of the wall may be no work at all.
NODE_BURSTS = """setInterval(() => {
    const begin = process.cpuUsage();
    while (process.cpuUsage(begin).user < 60000);
}, 500)"""


def serve_slowly(stage):
    """4 KiB/s to each client, and whatever it sends is thrown away."""
    listener = socket.create_server(("127.0.0.1", 0))
    stage.endings.append(listener.close)

    def serve(client):
        client.setblocking(False)
        try:
            client.send(b"HTTP/1.0 200 OK\r\n\r\n")
            while True:
                try:
                    client.recv(65536)
                except BlockingIOError:
                    pass
                client.send(b"x" * 1024)
                time.sleep(0.25)
        except OSError:
            client.close()

    def accept():
        try:
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    stage.values["port"] = str(listener.getsockname()[1])


def random_file(size):
    def write(stage):
        with open(stage.path("data"), "wb") as file:
            for _ in range(size // (1 << 20)):
                file.write(os.urandom(1 << 20))
    return write


def feed_fifo(stage):
    os.mkfifo(stage.path("fifo"))
    stage.start(PYTHON, "-c", FEED, stage.path("fifo"))


def compile_main(stage):
    stage.write("main.cpp", "#include <iostream>\n#include <regex>\n"
                            "int main() { std::cout << std::regex_match(\"a\", std::regex(\"a\")); }\n")
    stage.run("g++", "-c", stage.path("main.cpp"), "-o", stage.path("main.o"))


def pytest_command(stage):
    if not importlib.util.find_spec("pytest"):
        raise Skip("no pytest")
    return [PYTHON, "-m", "pytest", "-qq", "-p", "no:cacheprovider", stage.write("test_slow.py", TESTS)]


def busy(name, command, **more):
    return Scenario(name, "busy", command, **more)


def python(text, *words):
    return lambda stage: [PYTHON, "-c", text, *(word.format(**stage.values, folder=stage.folder) for word in words)]


SCENARIOS = [
    busy("g++, a heavy template file", heavy=True, needs=("g++",), words=("cc1plus",),
         command=lambda s: (f"while :; do g++ -O2 -ftemplate-depth=2000 -c {s.write('heavy.cpp', HEAVY_TEMPLATES)}"
                            f" -o {s.path('heavy.o')}; done")),
    busy("linker", heavy=True, needs=("g++",), setup=compile_main,
         command=lambda s: f"while :; do g++ -static {s.path('main.o')} -o {s.path('main')}; done"),
    busy("pytest, output captured", pytest_command, heavy=True, startup=1.5),
    busy("unittest, output buffered", heavy=True,
         command=lambda s: [PYTHON, "-m", "unittest", "-q", "--buffer", s.write("slow_unit.py", TESTS)]),
    busy("xz -9", heavy=True, needs=("xz",), words=("xz",), setup=random_file(48 << 20),
         command=lambda s: f"while :; do xz -9 -T1 -c {s.path('data')} >{s.path('data.xz')}; done"),
    busy("sort of a big file", heavy=True, needs=("sort",), setup=random_file(32 << 20),
         command=lambda s: f"while :; do sort -S 16M -o {s.path('sorted')} {s.path('data')}; done"),
    busy("tar to gzip through a pipe", heavy=True, needs=("tar", "gzip"),
         command="while :; do tar cf - /usr/lib/x86_64-linux-gnu 2>/dev/null | gzip >/dev/null; done"),
    busy("find over a big folder", "while :; do find /usr >/dev/null 2>&1; done", heavy=True, needs=("find",)),
    busy("a child that works in bursts", python(CHILD_IN_BURSTS)),
    busy("short-lived children only",
         "while :; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; sleep 0.2; done"),
    busy("orphans only", "while :; do (sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' &) ; sleep 0.3; done"),
    busy("curl, 4 KiB/s", lambda s: ["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{s.values['port']}/"],
         needs=("curl",), setup=serve_slowly),
    busy("python download, 4 KiB/s", python(READ_SOCKET, "{port}"), setup=serve_slowly),
    busy("python upload, 4 KiB/s", python(WRITE_SOCKET, "{port}"), setup=serve_slowly),
    busy("sleep-poll around real work",
         lambda s: f"'{PYTHON}' -c '{BURSTS}' & until test -e {s.path('done')}; do sleep 0.2; done"),
    busy("rsync, 20 KiB/s", lambda s: ["rsync", "--bwlimit=20", s.path("data"), s.path("copy")], needs=("rsync",),
         setup=random_file(4 << 20), words=("rsync",)),
    busy("a pair of sockets, 4 KiB/s", python(SOCKET_PAIR)),
    busy("a fifo, 32 KiB/s", lambda s: f"wc -c <{s.path('fifo')}", setup=feed_fifo, words=("wc",)),
    busy("disk writer with fsync", python(FSYNC, "{folder}/file")),
    busy("node, bursts in a timer", ["node", "-e", NODE_BURSTS], needs=("node",), memory=""),
    busy("a new line now and then", python(NEW_WORDS)),
]
