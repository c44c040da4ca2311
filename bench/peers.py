"""The other tools: how each starts a command in the background, and what watches a command that sleeps."""

import functools
import os
import signal
import time

from lab import until
from process_table import command_line, processes


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


class Nohup:
    """nohup in the background of a shell, as people type it."""

    def __init__(self, lab):
        self.lab = lab

    def start(self, *command):
        return self.lab.time(['sh', '-c', 'nohup "$@" > /dev/null 2>&1 & echo $!', 'sh', *command])

    def settle(self, _):
        time.sleep(0.003)


class Sem:
    """GNU parallel, which starts single commands in the background by the name of sem."""

    def __init__(self, lab):
        self.lab = lab
        self.base = ['sem', '--will-cite', '--id', 'bench', '-j', '8']

    def start(self, *command):
        return self.lab.time([*self.base, *command], quiet=True)[0], None

    def settle(self, _):
        self.lab.call(*self.wait_words(None))

    def wait_words(self, _):
        return ['sem', '--will-cite', '--id', 'bench', '--wait']  # with -j it waits for a free slot only


class Pueue:
    """pueue with a daemon of its own."""

    def __init__(self, lab):
        self.lab = lab
        base = lab.place('pueue')
        self.config = os.path.join(base, 'pueue.yml')
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'shared:\n  pueue_directory: {base}\n  runtime_directory: {base}\n')
        pid = lab.child(['pueued', '-c', self.config])
        until(lambda: lab.status(self.words('status')) == 0, 'pueued to answer')
        lab.call(*self.words('parallel', '1000'))
        self.pid = pid

    def words(self, *rest):
        return ['pueue', '-c', self.config, *rest]

    def start(self, *command):
        took, task = self.lab.time(self.words('add', '--print-task-id', '--', *command))
        return took, task.strip()

    def settle(self, task):
        self.lab.call(*self.wait_words(task))
        self.lab.call(*self.words('clean'))

    def wait_words(self, task):
        return self.words('wait', '-q', task)


STARTERS = {'setsid -f': ('setsid', Setsid), 'nohup': ('nohup', Nohup), 'tsp': ('tsp', Tsp), 'nq': ('nq', Nq),
            'sem (parallel)': ('sem', Sem), 'pueue': ('pueued', Pueue)}


@functools.cache
def starters(lab):
    """The tools that are installed, each ready to start commands."""
    return {name: kind(lab) for name, (program, kind) in STARTERS.items() if lab.has(program)} | {'least.c': Least(lab)}


def sleeps(seconds):
    """pids of `sleep SECONDS`; the measurement uses numbers that nobody else does."""
    return [pid for pid, seen in processes().items()
            if seen.name == 'sleep' and command_line(pid).split('\0')[1:2] == [seconds]]


def watchers_of_sleep(starter):
    """Starts a sleep, gives (pids of the processes above it that the tool has left there, a function that ends it)."""
    seconds = f'{100000 + os.getpid()}.{time.monotonic_ns() % 1000000}'
    before = processes()
    starter.start('sleep', seconds)
    pid = until(lambda: sleeps(seconds), 'a sleep to start')[0]
    known = processes()
    above = [known[pid].parent]  # a server that runs already, or the first of what the start has added
    while (parent := known[above[-1]].parent) in known and parent not in before:
        above.append(parent)
    return above, lambda: os.kill(pid, signal.SIGTERM)
