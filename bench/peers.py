"""The other tools: how each starts a command in the background, and what watches a command that sleeps."""

import functools
import os
import signal
import stat
import time

from lab import processes, until


class Tsp:
    """task-spooler with a server of its own, which runs while the measurement does."""

    def __init__(self, lab):
        self.lab = lab
        lab.call('tsp', 'true')  # starts the server
        lab.at_end.append(lambda: lab.call('tsp', '-K'))

    def start(self, *command):
        took, task = self.lab.time(['tsp', *command])
        return took, task.strip()

    def settle(self, task):
        self.lab.call('tsp', '-w', task)
        output = self.lab.call('tsp', '-o', task)
        if os.path.exists(output):
            os.unlink(output)
        self.lab.call('tsp', '-C')

    def wait_words(self, task):
        return ['tsp', '-w', task]


class Nq:
    """nq keeps a file a task in $NQDIR, and slows down with their number: they are removed after each."""

    def __init__(self, lab):
        self.lab = lab

    def start(self, *command):
        took, task = self.lab.time(['nq', *command])
        return took, task.strip()

    def settle(self, task):
        self.lab.call('nq', '-w')
        folder = self.lab.env['NQDIR']
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))

    def wait_words(self, task):
        return ['nq', '-w']


class Setsid:
    """setsid -f: no id, nobody watches."""

    def __init__(self, lab):
        self.lab = lab

    def start(self, *command):
        return self.lab.time(['setsid', '-f', *command])[0], None

    def settle(self, _):
        time.sleep(0.003)


class Least:
    """least.c: what bgt run promises, and nothing else."""

    def __init__(self, lab):
        self.lab = lab
        self.root = lab.place('least')
        lab.place('least/tasks')
        lab.place('least/active')

    def start(self, *command):
        took, task = self.lab.time([self.lab.least, self.root, *command])
        return took, task.strip()

    def settle(self, task):
        marker = f'{self.root}/active/{task}'
        until(lambda: not os.path.exists(marker), 'a task of least to end')


class Bgt:
    """bgt itself in one root. What a sample adds to the root is removed again, so that its size stays what it was."""

    def __init__(self, lab, root):
        self.lab, self.root = lab, root

    def start(self, *command):
        took, task = self.lab.time(self.lab.at(self.root, 'run', '--', *command))
        return took, task.strip()

    def settle(self, task):
        self.lab.call(*self.lab.at(self.root, 'wait', task))
        self.lab.call(*self.lab.at(self.root, 'rm', task))

    def wait_words(self, task):
        return self.lab.at(self.root, 'wait', task)


class Service:
    """A folder that s6-supervise can run; `script` is the body of its run file."""

    def __init__(self, lab, name, script):
        self.lab = lab
        self.folder = lab.place(f's6-{name}')
        run = os.path.join(self.folder, 'run')
        with open(run, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n{script}\n')
        os.chmod(run, stat.S_IRWXU)

    def up(self):
        return self.lab.child(['s6-supervise', self.folder])

    def ready(self):
        control = os.path.join(self.folder, 'supervise', 'control')
        until(lambda: os.path.exists(control), 's6-supervise to listen')
        self.lab.call('s6-svc', '-wu', '-u', self.folder)


@functools.cache
def starters(lab):
    """The tools that are installed, each ready to start commands."""
    known = {'setsid -f': ('setsid', Setsid), 'tsp': ('tsp', Tsp), 'nq': ('nq', Nq), 'least.c': (lab.least, Least)}
    return {name: kind(lab) for name, (program, kind) in known.items() if lab.has(program)}


def sleeps(seconds):
    """pids of `sleep SECONDS`; the measurement uses numbers that nobody else does."""
    found = []
    for pid, (_, name) in processes().items():
        try:
            if name == 'sleep':
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    if file.read().split(b'\0')[1] == seconds.encode():
                        found.append(pid)
        except (OSError, IndexError):
            continue
    return found


def watcher_of_sleep(starter):
    """Starts a sleep, gives (pid of the process that watches it, a function that ends it)."""
    seconds = f'{100000 + os.getpid()}.{time.monotonic_ns() % 1000000}'
    starter.start('sleep', seconds)
    pid = until(lambda: sleeps(seconds), 'a sleep to start')[0]
    return processes()[pid][0], lambda: os.kill(pid, signal.SIGTERM)


@functools.cache
def pm2(lab):
    return Pm2(lab)


class Pm2:
    """pm2 with a daemon of its own; far slower than the others, so measured less often."""

    def __init__(self, lab):
        self.lab = lab
        lab.call(lab.pm2, 'ping')
        lab.at_end.append(lambda: lab.call(lab.pm2, '-s', 'kill'))

    def start(self):
        took, _ = self.lab.time([self.lab.pm2, 'start', '/bin/sleep', '--name', 'bench', '--', '1000'])
        self.lab.call(self.lab.pm2, 'delete', 'bench')
        return took

    def daemon(self):
        with open(os.path.join(self.lab.env['PM2_HOME'], 'pm2.pid'), encoding='utf-8') as file:
            return int(file.read())
