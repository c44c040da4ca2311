"""How long things take: run, wait, ps, kill."""

import os
import struct
import time

from lab import until
from process_table import descendants, processes
from peers import STARTERS, Bgt, sleeps, starters
from services import Pm2, S6, installed
from table import Sample


def interleaved(rounds, subjects):
    """Calls each subject once a round, beginning with another one each time; name -> Sample of what they return."""
    samples = {name: Sample() for name in subjects}
    names = list(subjects)
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            value = sampled(name, subjects[name])
            if turn:  # the first round fills the caches
                samples[name].append(value)
    return samples


def sampled(name, subject):
    """One sample. A peer that fails is asked once more, and it is said: one bad start of many is no end of a measurement."""
    try:
        return subject()
    except RuntimeError as error:
        if name.startswith('bgt'):
            raise
        print(f'({name} failed and is asked again: {error})', flush=True)
        return subject()


def start_once(starter, *command):
    took, task = starter.start(*command)
    starter.settle(task)
    return took


NO_REPORT = ('It forks and returns before the command has been executed, so it cannot report that it could not be (126, '
             '127); nothing is on disk that outlives it.')
SIMPLER = {'setsid -f': NO_REPORT, 'nohup': NO_REPORT,
           'tsp': 'It hands the command to its server and returns before that is executed; its tasks are in that server\'s '
                  'memory only.',
           'nq': 'It forks and returns before the command has been executed; it makes one file, bgt a folder that tells how '
                 'the task ended whatever happens.',
           'least.c': 'That is bgt\'s own share: options, configuration, checks, names.'}


def start(lab, table, plan):
    table.head('start: `bgt run -- true` until it returns (ms)')
    ours = {'bgt': Bgt(lab, lab.root('ten', 10)), 'bgt, many': Bgt(lab, lab.many(plan.ended))}
    others = starters(lab)
    slow = {name: others[name] for name in ('sem (parallel)', 'pueue') if name in others}
    quick = {name: it for name, it in others.items() if name not in slow}
    subjects = {name: lambda it=it: start_once(it, 'true') for name, it in {**ours, **quick}.items()}
    subjects['bgt --wait'] = lambda: lab.time(lab.at(ours['bgt'].root, 'run', '--wait', '--rm', '--', 'true'))[0]
    subjects['timeout'] = lambda: lab.time(['timeout', '100', 'true'])[0]
    subjects['bgt version'] = lambda: lab.time([lab.bgt, 'version'])[0]
    took = interleaved(plan.rounds, subjects)

    limits = {'setsid -f': 1.5, 'tsp': 1.3, 'least.c': 1.2}
    for name in (*STARTERS, 'least.c'):
        if name in quick:
            table.beside(f'run -- true beside {name}', took['bgt'], took[name], most=limits.get(name),
                         why=SIMPLER.get(name, ''))
        elif name not in others:
            table.missing(name)
    table.against_itself(f'root of {plan.ended} ended tasks beside one of 10', took['bgt, many'], took['bgt'], most=1.1)
    table.beside('run --wait --rm -- true beside timeout 100 true', took['bgt --wait'], took['timeout'], most=2.5,
                 why='It is a parent that waits for its child and keeps nothing; bgt makes a task, its log and its record.')
    table.against_itself('starting bgt alone (bgt version) beside all of run', took['bgt version'], took['bgt'])
    full_root(lab, table, plan, ours['bgt'])
    slow_starts(lab, table, plan, ours['bgt'], slow)
    first_act(lab, table, plan, ours['bgt'])


def slow_starts(lab, table, plan, ours, slow):
    """Tools that take tens of milliseconds, and supervisors, which start what they were told of beforehand."""
    subjects = {'bgt': lambda: start_once(ours, 'true')}
    subjects |= {name: lambda it=it: start_once(it, 'true') for name, it in slow.items()}
    services = [kind(lab, 'start', 'exec sleep 99999') for kind in installed(lab, table)]

    def up(service):
        took = service.start()
        service.stop()
        return took

    subjects |= {service.name: lambda it=service: up(it) for service in services}
    took = interleaved(plan.slow, subjects)
    for name in slow:
        table.beside(f'run -- true beside {name}', took['bgt'], took[name])
    for service in services:
        table.beside(f'run beside {service.start_name}', took['bgt'], took[service.name], why=UNDER_WATCH)
        service.close()


UNDER_WATCH = 'Its watcher runs already and has the service read; bgt starts a watcher for each task.'


def full_root(lab, table, plan, small):
    """The usual state of a root in long use: it holds keep_ended tasks, and each start lets an old one go."""
    full = lab.root('full', 1000)

    def start_in_full():
        with lab.environment(BGT_KEEP_ENDED='1000'):
            took, task = lab.time(lab.at(full, 'run', '--', 'true'))
        lab.call(*lab.at(full, 'wait', task.strip()))
        return took

    took = interleaved(plan.rounds, {'full': start_in_full, 'small': lambda: start_once(small, 'true')})
    table.against_itself('root at its limit of ended tasks beside one of 10', took['full'], took['small'])


def first_act(lab, table, plan, ours):
    """Until the command does something: here it does not matter what a tool waits for before it returns."""
    table.head("start, from outside: until the command's first act (ms)")
    out = os.path.join(lab.folder, 'now')
    command = [lab.worker, 'now', out]

    def stamped(begin, settle):
        began = time.monotonic_ns()
        task = begin()
        until(lambda: os.path.exists(out) and os.path.getsize(out) == 8, 'the time that the command writes')
        value = (read_stamp(out) - began) / 1e6
        settle(task)
        os.unlink(out)
        return value

    subjects = {name: lambda it=it: stamped(lambda: it.start(*command)[1], it.settle)
                for name, it in {'bgt': ours, **starters(lab)}.items()}
    services = [kind(lab, 'now', f'exec {lab.worker} now {out}') for kind in installed(lab, table)]
    subjects |= {it.name: lambda it=it: stamped(it.begin, lambda _: it.stop()) for it in services}
    took = interleaved(plan.slow, subjects)
    for name in took:
        if name != 'bgt':
            table.beside(f'beside {name}', took['bgt'], took[name], why=ACTS.get(name, ''))
    for service in services:
        service.close()


ACTS = {'setsid -f': 'It makes no files and no watcher.', 'nohup': 'It makes no files and no watcher.',
        'least.c': "That is bgt's own share.", 'tsp': 'Its server runs already, and keeps its tasks in memory.',
        'nq': 'It makes one file, and waits for nothing.', 's6': UNDER_WATCH, 'runit': UNDER_WATCH}


def read_stamp(path):
    with open(path, 'rb') as file:
        return struct.unpack('q', file.read(8))[0]


def wake(lab, starter):
    """Milliseconds from a task's last act to the end of the command that waits for it, which has long begun."""
    gate, out = os.path.join(lab.folder, 'gate'), os.path.join(lab.folder, 'stamp')
    os.mkfifo(gate)
    words = [lab.worker, 'gate', gate, out]
    task = starter.start(*words)[1] if starter else None
    waiter = lab.spawn(starter.wait_words(task) if starter else words)
    door = os.open(gate, os.O_WRONLY)  # the task has it open now
    time.sleep(0.03)
    os.close(door)
    _, status = os.waitpid(waiter, 0)
    ended = time.monotonic_ns()
    if status:
        raise RuntimeError(f'waiting for task {task}: status {status}')
    value = (ended - read_stamp(out)) / 1e6
    if starter:
        starter.settle(task)
    os.unlink(gate)
    os.unlink(out)
    return value


class S6Task:
    """An s6 service in the place of a task that ends."""

    def __init__(self, lab, gate, out):
        self.service = S6(lab, 'wait', f'exec {lab.worker} gate {gate} {out}')

    def start(self, *_):
        return self.service.start(), None

    def wait_words(self, _):
        return self.service.wait_words()

    def settle(self, _):
        self.service.stop()


def wait(lab, table, plan):
    table.head("wait: from the task's last act to the end of `bgt wait` (ms)")
    ours = Bgt(lab, lab.root('wait', 10))
    others = {name: it for name, it in starters(lab).items() if hasattr(it, 'wait_words')}
    if lab.has(S6.program):
        others['s6-svwait -D'] = S6Task(lab, f'{lab.folder}/gate', f'{lab.folder}/stamp')
    subjects = {'bgt': lambda: wake(lab, ours), 'parent': lambda: wake(lab, None)}
    subjects |= {name: lambda it=it: wake(lab, it) for name, it in others.items()}
    done = ours.start('true')[1]
    subjects['done'] = lambda: lab.time(ours.wait_words(done))[0]
    subjects['version'] = lambda: lab.time([lab.bgt, 'version'])[0]
    took = interleaved(plan.waits, subjects)

    most = took['version'].median + 3
    table.alone('a wait that sleeps; limit: starting bgt + 3', took['bgt'], most=most)
    table.alone('a wait for a task that has ended; the same limit', took['done'], most=most)
    table.beside("beside a parent's own waitpid", took['bgt'], took['parent'],
                 why='That is the kernel alone; only a parent can do it, and it must have been there from the start.')
    names = {'tsp': 'tsp -w', 'nq': 'nq -w', 'sem (parallel)': 'sem --wait', 'pueue': 'pueue wait'}
    for name in others:
        table.beside(f'beside {names.get(name, name)}', took['bgt'], took[name], why=WAITS.get(name, ''))
    if 's6-svwait -D' in others:
        others['s6-svwait -D'].service.close()


WAITS = {'tsp': 'It waits for one message of its server; bgt waits until the end of the whole tree is on disk.',
         'nq': 'It waits for a lock that the kernel lets go with the process; it does not know how the task ended.',
         's6-svwait -D': 'It waits for one process; bgt waits until the end of the whole tree is on disk.'}


def ps(lab, table, plan):
    table.head(f'ps: 10 living among {plan.ended} ended (ms)')
    root = lab.many(plan.ended)
    lab.run_many(root, 10, 'sleep 100000')
    known = len(lab.call(*lab.at(root, 'ps', '-a', '-q')).split())
    if known != plan.ended + 10:
        raise RuntimeError(f'ps -a lists {known} tasks, not {plan.ended + 10}')
    took = interleaved(plan.waits, {words: lambda words=words: lab.time(lab.at(root, *words.split()))[0]
                                    for words in ('ps', 'ps -a', 'ps --json', 'ps -a --json', 'version')})
    table.alone('bgt ps', took['ps'], most=5)
    table.alone('bgt ps -a', took['ps -a'], most=80)
    table.alone('bgt ps --json', took['ps --json'])
    table.alone('bgt ps -a --json', took['ps -a --json'])
    table.alone('bgt version', took['version'])
    ps_beside(lab, table, plan)
    lab.call(*lab.at(root, 'kill', '--all', '--now'))


def ps_beside(lab, table, plan):
    """The lists of the others, of 10 living and nothing else."""
    few = lab.root('few')
    lab.run_many(few, 10, 'sleep 100000')
    services = [kind(lab, 'ps', 'exec sleep 99999', count=10) for kind in installed(lab, table)]
    lists = {service.status_name: service.status_words() for service in services}
    for service in services:
        service.start()
    others, stops = starters(lab), []
    for name, words in (('tsp', ['tsp', '-l']), ('pueue', others['pueue'].words('status') if 'pueue' in others else [])):
        if name in others:
            seconds = f'{200000 + os.getpid()}'
            if name == 'tsp':
                lab.call('tsp', '-S', '10')
            for _ in range(10):
                others[name].start('sleep', seconds)
            lists[' '.join(words[:2]) if name == 'tsp' else 'pueue status'] = words
            stops.append(seconds)
    subjects = {'few': lambda: lab.time(lab.at(few, 'ps'))[0]}
    subjects |= {name: lambda words=words: lab.time(words)[0] for name, words in lists.items()}
    took = interleaved(plan.slow, subjects)
    for name in lists:
        table.beside(f'10 living and no other: bgt ps beside {name}', took['few'], took[name], why=LISTS.get(name, ''))
    for service in services:
        service.close()
    for pid in {pid for seconds in stops for pid in sleeps(seconds)}:
        os.kill(pid, 15)
    lab.remove_root(few)


LISTS = {'tsp -l': 'It prints what its server has in memory; bgt reads /proc for the CPU, memory and ports of each task.',
         'sv status': 'It prints one record a service; bgt reads /proc for the CPU, memory and ports of each task.',
         's6-svstat': 'It prints one record a service; bgt reads /proc for the CPU, memory and ports of each task.'}


def kill_once(lab, root, script, size):
    """Milliseconds of `bgt kill` of a tree of `size` processes; it is an error when one of them lives afterwards."""
    task = lab.call(*lab.at(root, 'run', '-c', script))
    supervisor = lab.supervisor(root, task)

    def complete():
        tree, known = descendants(supervisor), processes()
        return len(tree) == size and sum(pid in known and known[pid].name == 'sleep' for pid in tree) == size - 1 and tree

    tree = until(complete, f'a tree of {size} processes')
    took, _ = lab.time(lab.at(root, 'kill', task))
    alive = set(tree) & set(processes())
    if alive:
        raise RuntimeError(f'bgt kill left {alive}')
    return took


def kill(lab, table, plan):
    table.head('kill: of a tree that obeys SIGTERM (ms)')
    root = lab.root('kill')
    five = 'sleep 99999 & sleep 99999 & setsid sleep 99999 & setsid -f sleep 99999; wait'
    hundred = 'i=0; while [ $i -lt 99 ]; do sleep 99999 & i=$((i+1)); done; wait'
    subjects = {'five': lambda: kill_once(lab, root, five, 5), 'hundred': lambda: kill_once(lab, root, hundred, 100)}
    services = [kind(lab, 'kill', 'exec sleep 99999') for kind in installed(lab, table)]

    def down(service):
        service.start()
        return service.stop()

    subjects |= {service.stop_name: lambda it=service: down(it) for service in services}
    took = interleaved(plan.slow, subjects)
    table.alone('5 processes, in 4 sessions', took['five'], most=20)
    table.alone('100 processes', took['hundred'])
    for service in services:
        table.beside(f'5 processes beside {service.stop_name} of one', took['five'], took[service.stop_name],
                     why='It signals the one process that it knows, and leaves the others; bgt looks until nobody is left.')
        service.close()
