"""How the costs of run, ps and wait grow with the tasks that have ended and with those that live."""

import os
import time

from lab import until
from parts_time import interleaved, start_once
from peers import Bgt, Nq, Tsp, sleeps

VERBS = {'run': 'start of true', 'ps': 'list of the living', 'ps -a': 'list of all', 'wait': 'wait for an ended task'}


def growth(lab, table, plan):
    """Fills table.growth: (verb, ended or living) -> tool -> size -> median."""
    sizes = [10, 1000, plan.ended] if plan.ended > 1000 else [10, plan.ended]
    grow(lab, table, plan, 'ended', sizes, ended_at)
    grow(lab, table, plan, 'living', [10, 100, 1000] if plan.max_running >= 1000 else [10, plan.max_running], living_at)


def grow(lab, table, plan, kind, sizes, at):
    table.head(f'growth: with {", ".join(f"{size:,}" for size in sizes)} {kind} tasks (ms)')
    found = {}
    for size in sizes:
        subjects, end = at(lab, plan, size)
        for (verb, tool), sample in interleaved(plan.grown, subjects).items():
            found.setdefault(verb, {}).setdefault(tool, {})[size] = sample
        end()
    for verb, tools in found.items():
        ours = tools['bgt']
        table.against_itself(f'bgt {verb}: {sizes[-1]:,} {kind} beside {sizes[0]}', ours[sizes[-1]], ours[sizes[0]])
        for tool, samples in tools.items():
            if tool != 'bgt':
                for size in samples:
                    table.beside(f'bgt {verb} beside {tool}, {size:,} {kind}', ours[size], samples[size], why=WHY[tool])
        table.growth[verb, kind] = {tool: {size: sample.median for size, sample in samples.items()}
                                    for tool, samples in tools.items()}


WHY = {'tsp': 'Its server has all of it in memory, and loses all of it with the server.',
       'nq': 'It makes or looks at one file a task.'}


def bgt_subjects(lab, root, ended):
    ours = Bgt(lab, root)
    return {('run', 'bgt'): lambda: start_once(ours, 'true'),
            ('ps', 'bgt'): lambda: lab.time(lab.at(root, 'ps'))[0],
            ('ps -a', 'bgt'): lambda: lab.time(lab.at(root, 'ps', '-a'))[0],
            ('wait', 'bgt'): lambda: lab.time(lab.at(root, 'wait', ended))[0]}


class OwnTsp(Tsp):
    """A server for one size, so that its list has that many tasks; what a sample adds is removed again."""

    def __init__(self, lab, name, slots):
        self.values = {'TS_SOCKET': f'{lab.place(name)}/socket', 'TMPDIR': lab.place(name), 'TS_MAXCONN': '2000',
                       'TS_SLOTS': str(slots)}
        self.lab = lab
        self.call('tsp', 'true')
        lab.at_end.append(self.close)
        self.open = True

    def call(self, *words):
        return self.timed(*words)[1]

    def timed(self, *words):
        with self.lab.environment(**self.values):
            return self.lab.time(list(words))

    def fill(self, count, *command):
        line = f'i=0; while [ $i -lt {count} ]; do tsp {" ".join(command)} > /dev/null || exit; i=$((i+1)); done'
        self.call('sh', '-c', line)

    def sample(self):
        took, task = self.timed('tsp', 'true')
        self.call('tsp', '-w', task.strip())
        self.call('tsp', '-r', task.strip())
        return took

    def subjects(self):
        return {('run', 'tsp'): self.sample, ('ps', 'tsp'): lambda: self.timed('tsp', '-l')[0],
                ('wait', 'tsp'): lambda: self.timed('tsp', '-w', '0')[0]}

    def close(self):
        if self.open:
            self.open = False
            self.call('tsp', '-K')


class OwnNq(Nq):
    """A queue of one size. Files of ended tasks are made here: that nq makes them takes as long as its slowness."""

    def __init__(self, lab, count):
        self.lab = lab
        self.folder = lab.place(f'nq-{count}')
        now = time.time_ns() // 10 ** 6 - 10 ** 8
        self.ended = f',{now:x}.1'
        for i in range(count):
            open(os.path.join(self.folder, f',{now + i:x}.1'), 'wb').close()

    def sample(self):
        with self.lab.environment(NQDIR=self.folder):
            took, task = self.lab.time(['nq', 'true'])
            file = os.path.join(self.folder, task.strip())
            # It has the name of the id when the task starts.
            until(lambda: os.path.exists(file), 'the file of a task of nq')
            self.lab.call('nq', '-w', task.strip())
        os.unlink(file)
        return took

    def wait(self):
        with self.lab.environment(NQDIR=self.folder):
            return self.lab.time(['nq', '-w', self.ended])[0]

    def subjects(self):
        return {('run', 'nq'): self.sample, ('wait', 'nq'): self.wait}


def ended_at(lab, plan, size):
    root = lab.many(size) if size == plan.ended else lab.root(f'ended-{size}', size)
    subjects = bgt_subjects(lab, root, lab.call(*lab.at(root, 'ps', '-a', '-q')).split()[-1])  # the oldest
    if lab.has('nq'):
        subjects |= OwnNq(lab, size).subjects()
    server = None
    if lab.has('tsp'):
        server = OwnTsp(lab, f'tsp-ended-{size}', slots=2)
        server.fill(size - 1, 'true')
        until(lambda: server.call('tsp', '-l').count('finished') >= size, 'the tasks of tsp to end', pause=0.1)
        subjects |= server.subjects()
    return subjects, server.close if server else lambda: None


def living_at(lab, plan, size):
    root = lab.root(f'living-{size}')
    ended = lab.call(*lab.at(root, 'run', '--', 'true'))
    lab.run_many(root, size, 'sleep 100000')
    subjects = bgt_subjects(lab, root, ended)
    server, seconds = None, f'{400000 + os.getpid()}'
    if lab.has('tsp') and size < 1000:  # its server watches its clients by select(2), which ends at 1,024 descriptors
        server = OwnTsp(lab, f'tsp-living-{size}', slots=size + 1)
        server.fill(size, 'sleep', seconds)
        until(lambda: len(sleeps(seconds)) == size, 'the sleeps of tsp to start', pause=0.05)
        subjects |= server.subjects()

    def end():
        if server:
            for pid in sleeps(seconds):
                os.kill(pid, 15)
            server.close()
        lab.remove_root(root)

    return subjects, end
