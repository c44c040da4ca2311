"""What the tests and the benchmarks ask of /proc, and waiting for a condition."""
import dataclasses
import os
import signal
import time


@dataclasses.dataclass(frozen=True)
class Process:
    """The part of /proc/PID/stat that is asked for."""
    pid: int
    name: str
    state: str
    parent: int
    ticks: int  # of CPU time, its own
    start: int  # clock ticks since boot

    @property
    def alive(self):
        return self.state not in "ZX"


def read(path):
    """The bytes of a file of /proc; none where the process has gone or is not ours."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def process(pid):
    """None where there is no such process; a zombie is one."""
    before, _, after = read(f"/proc/{pid}/stat").decode(errors="replace").rpartition(") ")
    if not after:
        return None
    fields = after.split()
    return Process(int(pid), before.partition("(")[2], fields[0], int(fields[1]), int(fields[11]) + int(fields[12]),
                   int(fields[19]))


def is_alive(pid):
    seen = process(pid)
    return seen is not None and seen.alive


def processes():
    """pid -> Process of all that live; a zombie does not."""
    found = (process(pid) for pid in os.listdir("/proc") if pid.isdigit())
    return {seen.pid: seen for seen in found if seen and seen.alive}


def descendants(root):
    """pids below `root`; those of a subreaper are all that its tree has."""
    parents = {pid: seen.parent for pid, seen in processes().items()}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def children(pid):
    """Direct children, by /proc/PID/task/TID/children where the kernel has that, else by a look at all processes."""
    try:
        threads = [f"/proc/{pid}/task/{thread}/children" for thread in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []
    if not all(map(os.path.exists, threads)):
        return [child for child, seen in processes().items() if seen.parent == pid]
    return [int(child) for path in threads for child in read(path).split()]


def command_line(pid):
    """Its words, each ended by a zero byte; empty when the process has gone."""
    return read(f"/proc/{pid}/cmdline").decode(errors="replace")


def environment(pid):
    """NAME=VALUE as bytes; empty when the process has gone or is not ours."""
    return read(f"/proc/{pid}/environ").split(b"\0")


def until(condition, timeout=10.0, pause=0.005):
    """Waits until condition() gives something true, and returns it; at the end of the time whatever it gives then."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            return condition()
        time.sleep(pause)
    return value


def kill_all(find, timeout=5.0):
    """SIGKILL to whom find() names, until it names nobody; gives all pids that it named."""
    named = []

    def nobody():
        left = find()
        named.extend(pid for pid in left if pid not in named)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    until(nobody, timeout, 0.01)
    return named
