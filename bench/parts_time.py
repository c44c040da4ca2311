"""How long things take: run, wait, ps, kill."""

import os
import struct
import time

from lab import descendants, processes, until
from peers import Bgt, Service, pm2, starters
from table import Sample


def interleaved(rounds, subjects):
    """Calls each subject once a round, beginning with another one each time; name -> Sample of what they return."""
    samples = {name: Sample() for name in subjects}
    names = list(subjects)
    for turn in range(rounds + 1):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            value = subjects[name]()
            if turn:  # the first round fills the caches
                samples[name].append(value)
    return samples


def start_once(starter, *command):
    took, task = starter.start(*command)
    starter.settle(task)
    return took


def start(lab, table, plan):
    table.head('start: `bgt run -- true` until it returns (ms)')
    ours = {'bgt': Bgt(lab, lab.root('ten', 10)), 'bgt, many': Bgt(lab, lab.many(plan.ended))}
    others = starters(lab)
    subjects = {name: lambda it=it: start_once(it, 'true') for name, it in {**ours, **others}.items()}
    subjects['bgt --wait'] = lambda: lab.time(lab.at(ours['bgt'].root, 'run', '--wait', '--rm', '--', 'true'))[0]
    subjects['timeout'] = lambda: lab.time(['timeout', '100', 'true'])[0]
    subjects['bgt version'] = lambda: lab.time([lab.bgt, 'version'])[0]
    took = interleaved(plan.rounds, subjects)

    limits = {'setsid -f': 1.5, 'tsp': 1.3}
    for name in ('setsid -f', 'tsp', 'nq', 'least.c'):
        if name in others:
            table.beside(f'run -- true beside {name}', took['bgt'], took[name], most=limits.get(name))
        else:
            table.missing(name)
    table.beside(f'root of {plan.ended} ended tasks beside one of 10', took['bgt, many'], took['bgt'], most=1.1)
    table.beside('run --wait --rm -- true beside timeout 100 true', took['bgt --wait'], took['timeout'])
    table.beside('starting bgt alone (bgt version) beside all of run', took['bgt version'], took['bgt'])
    full_root(lab, table, plan, ours['bgt'])
    first_act(lab, table, plan, ours['bgt'])
    if lab.pm2:
        took = interleaved(plan.slow, {'bgt': lambda: start_once(ours['bgt'], 'true'), 'pm2': pm2(lab).start})
        table.beside('run -- true beside pm2 start', took['bgt'], took['pm2'])
    else:
        table.missing('pm2')


def full_root(lab, table, plan, small):
    """The usual state of a root in long use: it holds keep_ended tasks, and each start lets an old one go."""
    full = lab.root('full', 1000)

    def start_in_full():
        lab.env['BGT_KEEP_ENDED'] = '1000'
        took, task = lab.time(lab.at(full, 'run', '--', 'true'))
        lab.env['BGT_KEEP_ENDED'] = '100000'
        lab.call(*lab.at(full, 'wait', task.strip()))
        return took

    took = interleaved(plan.rounds, {'full': start_in_full, 'small': lambda: start_once(small, 'true')})
    table.beside('root at its limit of ended tasks beside one of 10', took['full'], took['small'])


def first_act(lab, table, plan, ours):
    """Until the command does something: tools that do not return, such as s6-supervise, can be compared by this."""
    if not lab.has('s6-supervise'):
        return table.missing('s6-supervise')
    out = os.path.join(lab.folder, 'now')
    service = Service(lab, 'now', f'exec {lab.worker} now {out}')

    def stamped(begin, settle):
        began = time.monotonic_ns()
        task = begin()
        until(lambda: os.path.exists(out) and os.path.getsize(out) == 8, 'the time that the command writes')
        value = (read_stamp(out) - began) / 1e6
        settle(task)
        os.unlink(out)
        return value

    took = interleaved(plan.slow, {
        'bgt': lambda: stamped(lambda: ours.start('sh', '-c', f'exec {lab.worker} now {out}')[1], ours.settle),
        's6': lambda: stamped(service.up, lab.stop_child)})
    return table.beside("until the command's first act, beside s6-supervise", took['bgt'], took['s6'])


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


def wait(lab, table, plan):
    table.head("wait: from the task's last act to the end of `bgt wait` (ms)")
    ours = Bgt(lab, lab.root('wait', 10))
    others = {name: it for name, it in starters(lab).items() if name in ('tsp', 'nq')}
    subjects = {'bgt': lambda: wake(lab, ours), 'parent': lambda: wake(lab, None)}
    subjects |= {name: lambda it=it: wake(lab, it) for name, it in others.items()}
    done = ours.start('true')[1]
    subjects['done'] = lambda: lab.time(ours.wait_words(done))[0]
    subjects['version'] = lambda: lab.time([lab.bgt, 'version'])[0]
    took = interleaved(plan.waits, subjects)

    most = took['version'].median + 3
    table.alone('a wait that sleeps; limit: starting bgt + 3', took['bgt'], most=most)
    table.alone('a wait for a task that has ended; the same limit', took['done'], most=most)
    table.beside("beside a parent's own waitpid", took['bgt'], took['parent'])
    for name in others:
        table.beside(f'beside {name} -w', took['bgt'], took[name])


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
    lab.call(*lab.at(root, 'kill', '--all', '--now'))


def kill_once(lab, root, script, size):
    """Milliseconds of `bgt kill` of a tree of `size` processes; it is an error when one of them lives afterwards."""
    task = lab.call(*lab.at(root, 'run', '-c', script))
    supervisor = lab.supervisor(root, task)

    def complete():
        tree, known = descendants(supervisor), processes()
        return len(tree) == size and sum(known.get(pid, (0, ''))[1] == 'sleep' for pid in tree) == size - 1 and tree

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
    if lab.has('s6-svc'):
        service = Service(lab, 'sleep', 'exec sleep 99999')

        def down():
            supervisor = service.up()
            service.ready()
            took, _ = lab.time(['s6-svc', '-wD', '-d', service.folder])
            lab.stop_child(supervisor)
            return took

        subjects['s6'] = down
    took = interleaved(plan.waits // 2, subjects)
    table.alone('5 processes, in 4 sessions', took['five'], most=20)
    table.alone('100 processes', took['hundred'])
    if 's6' in took:
        table.beside('5 processes beside s6-svc -wD -d of one process', took['five'], took['s6'])
