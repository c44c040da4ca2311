"""What the measurements share: private folders and sockets, exact timing of a command, facts from /proc, an end."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../tests/support'))
import process_table  # noqa: E402

DEADLINE = 60  # seconds after which a condition that should come true is a failure of the measurement


def until(condition, what, pause=0.0005):
    """Waits until condition() gives something true, and returns it."""
    value = process_table.until(condition, DEADLINE, pause)
    if not value:
        raise RuntimeError(f'waited {DEADLINE} s in vain for {what}')
    return value


def memory(pid):
    """Sums of /proc/PID/smaps_rollup in kB: field -> value. Empty when the process has gone."""
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
            fields = [line.split() for line in file.readlines()[1:]]
    except OSError:
        return {}
    return {field[0].rstrip(':'): int(field[1]) for field in fields}


def cpu_seconds(pid):
    return process_table.process(pid).ticks / os.sysconf('SC_CLK_TCK')


def switches(pid):
    """How often the process has gone to sleep: once for each time that it woke. That others took the processor from it in
    between does not count."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return sum(int(line.split()[1]) for line in file if line.startswith('voluntary_ctxt_switches'))


def search_path():
    """The system's folders, then those where npm, cargo and go have put the tools that the system does not have."""
    places = ['/usr/bin', '/bin', '/usr/local/bin']
    for tool in ('pm2', 'pueue', 'process-compose'):
        found = shutil.which(tool)
        if found and os.path.dirname(found) not in places:
            places.append(os.path.dirname(found))
    return ':'.join(places)


class Lab:
    """A temporary folder with bgt roots and the peers' places. Nothing outside it is touched; close() ends it all."""

    def __init__(self, bgt, tools, parent):
        self.worker, self.least = (os.path.join(tools, name) for name in ('worker', 'least'))
        self.folder = tempfile.mkdtemp(prefix='bgt-bench-', dir=parent)
        self.folders = [self.folder]
        # A copy, as a package manager makes it: what a linker has written lies in the page cache in single pages, and the
        # same program, mapped from those, starts a tenth slower until the cache is read anew.
        self.bgt = os.path.join(self.folder, 'bgt')
        subprocess.run(['cp', bgt, self.bgt], check=True)
        self.env = {'PATH': search_path(), 'HOME': self.place('home'), 'LC_ALL': 'C.UTF-8',
                    'BGT_KEEP_ENDED': '100000', 'TMPDIR': self.place('tsp'), 'TS_SOCKET': f'{self.folder}/tsp/socket',
                    'NQDIR': self.place('nq'), 'PM2_HOME': self.place('pm2'), 'TS_MAXFINISHED': '100000',
                    'XDG_RUNTIME_DIR': self.place('run')}
        os.environ['PATH'] = self.env['PATH']  # where posix_spawnp looks
        self.output = os.open(f'{self.folder}/output', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.roots = []
        self.children = []
        self.at_end = []

    @contextlib.contextmanager
    def environment(self, **values):
        """What is started inside has these variables too."""
        usual = self.env
        self.env = usual | values
        try:
            yield
        finally:
            self.env = usual

    def place(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def has(self, program):
        return shutil.which(program, path=self.env['PATH'])

    def root(self, name, ended=0, folder=None):
        """A new state root with `ended` tasks that have really run."""
        path = os.path.join(folder or self.folder, f'root-{name}')
        os.mkdir(path, mode=0o700)
        self.roots.append(path)
        self.run_many(path, ended, 'true')
        until(lambda: not ended or not os.listdir(f'{path}/active'), 'the tasks of a new root to end')
        return path

    def many(self, ended):
        """The root with the most ended tasks; made once, as that takes a while."""
        path = os.path.join(self.folder, 'root-many')
        if path not in self.roots:
            print(f'(running {ended} tasks to fill a root)', flush=True)
            self.root('many', ended)
        return path

    def elsewhere(self, parent):
        """A temporary folder on another file system."""
        self.folders.append(tempfile.mkdtemp(prefix='bgt-bench-', dir=parent))
        return self.folders[-1]

    def run_many(self, root, count, command):
        """`count` times bgt run, by four shells at once."""
        loop = f'i=0; while [ $i -lt {{}} ]; do "{self.bgt}" --root {root} run -- {command} || exit; i=$((i+1)); done'
        counts = [(count + i) // 4 for i in range(4)]
        shells = [self.spawn(['sh', '-c', loop.format(part)]) for part in counts]
        if any([os.waitpid(pid, 0)[1] for pid in shells]):
            raise RuntimeError(f'bgt run failed in {root}')

    def spawn(self, argv, output=os.devnull):
        """Starts argv without waiting; its standard input is empty."""
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
        return os.posix_spawnp(argv[0], argv, self.env, file_actions=actions)

    def child(self, argv):
        """A child that lives until the end of the measurement or stop_child()."""
        pid = self.spawn(argv)
        self.children.append(pid)
        return pid

    def stop_child(self, pid):
        self.children.remove(pid)
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)

    def time(self, argv, code=0, quiet=False):
        """(milliseconds from the start of argv to its end, what it wrote to stdout)."""
        took, status = self.timed(argv, quiet)
        text = os.pread(self.output, 1 << 24, 0).decode(errors='replace')
        if status != code:
            raise RuntimeError(f'{" ".join(argv)}: status {status}, printed {text!r}')
        return took, text

    def timed(self, argv, quiet=False):
        """(milliseconds, exit code); what it writes is in self.output, where `quiet` its messages too."""
        os.ftruncate(self.output, 0)
        os.lseek(self.output, 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, self.output, 1)]
        if quiet:
            actions.append((os.POSIX_SPAWN_DUP2, self.output, 2))
        began = time.monotonic_ns()
        pid = os.posix_spawnp(argv[0], argv, self.env, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        return (time.monotonic_ns() - began) / 1e6, os.waitstatus_to_exitcode(status)

    def status(self, argv):
        """Exit code of argv, which may fail."""
        return self.timed(argv, quiet=True)[1]

    def drained(self, argv):
        """(milliseconds from the start of argv until it has ended and its stdout has been read to the end through a pipe
        of 1 MiB, bytes read)."""
        source, target = os.pipe()
        fcntl.fcntl(target, fcntl.F_SETPIPE_SZ, 1 << 20)
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, target, 1)]
        size, block = 0, bytearray(1 << 20)
        began = time.monotonic_ns()
        pid = os.posix_spawnp(argv[0], argv, self.env, file_actions=actions)
        os.close(target)
        while got := os.readv(source, [block]):
            size += got
        _, status = os.waitpid(pid, 0)
        took = (time.monotonic_ns() - began) / 1e6
        os.close(source)
        if status:
            raise RuntimeError(f'{" ".join(argv)}: status {status}')
        return took, size

    def call(self, *argv):
        """What argv printed, without the newline at its end."""
        return self.time(list(argv))[1].rstrip('\n')

    def at(self, root, *words):
        """The command line of a bgt verb in that root."""
        return [self.bgt, '--root', root, *words]

    def supervisor(self, root, task):
        return int(self.call(*self.at(root, 'ps', '--no-header', '--format', '{supervisor}', task)))

    def remove_root(self, root):
        self.roots.remove(root)
        if os.path.isdir(root):
            self.call(*self.at(root, 'kill', '--all', '--now'))
            shutil.rmtree(root)

    def close(self):
        for pid in list(self.children):
            self.stop_child(pid)
        for end in self.at_end:
            end()
        for root in list(self.roots):
            self.remove_root(root)
        os.close(self.output)
        for folder in self.folders:
            shutil.rmtree(folder)
