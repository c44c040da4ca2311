"""What lives on after each tool's own stop of a command whose processes leave it."""

import os
import signal
import time
from collections import Counter

from lab import until
from peers import sleeps, starters
from services import S6, Pm2, ProcessCompose, Runit, Supervisord, SupervisordGroups, executable, installed
from table import Sample

SETTLE = 1  # seconds in which the others may still end after the stop has returned


def escape(lab, table, plan):
    table.head('escape: of 5 processes (a plain child, a setsid child, a double-forked setsid grandchild, a child that\n'
               "ignores SIGTERM, the command itself), alive after the tool's own stop")
    seconds = f'{300000 + os.getpid()}'
    script = executable(os.path.join(lab.folder, 'escape'), f'''
sleep {seconds} &
setsid sleep {seconds} &
(setsid sh -c 'sleep {seconds} & exec true' &)
(trap "" TERM; exec sleep {seconds}) &
exec sleep {seconds}''')
    runs = stops(lab, script, seconds) | queues(lab, script)
    services = {kind: kind(lab, 'escape', f'exec {script}')
                for kind in installed(lab, table, (S6, Runit, Supervisord, SupervisordGroups, Pm2, ProcessCompose))}
    for kind, service in services.items():
        runs[kind.stop_name + ' with both group flags' * (kind is SupervisordGroups)] = lambda complete, it=service: (
            it.start(), complete(), it.stop())
    left = {name: Sample(survivors(seconds, run) for _ in range(plan.escapes)) for name, run in runs.items()}
    table.alone('bgt kill', left['bgt'], most=0, unit='')
    for name in left:
        if name != 'bgt':
            table.beside(f'bgt kill beside {name}', left['bgt'], left[name])
    for service in services.values():
        service.close()


def survivors(seconds, run):
    """`run` starts the command, sees to it that all() is true before it is stopped, and returns after the stop."""
    if sleeps(seconds):
        raise RuntimeError('processes of an earlier sample live')
    run(lambda: until(lambda: len(sleeps(seconds)) == 5, 'the five processes to start', pause=0.01))
    end = time.monotonic() + SETTLE
    while (left := sleeps(seconds)) and time.monotonic() < end:
        time.sleep(0.02)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not sleeps(seconds), 'the survivors to end')
    return len(left)


def stops(lab, script, seconds):
    """name -> how the command is started and stopped, by what needs no server."""
    root = lab.root('escape')

    def bgt(complete):
        task = lab.call(*lab.at(root, 'run', '--', script))
        complete()
        lab.call(*lab.at(root, 'kill', task))
        left = sleeps(seconds)
        if left:  # bgt has no second after its return
            raise RuntimeError(f'bgt kill left {left}')

    def limited(*words):
        """Tools that end the command when a limit passes; they return when they have done so."""
        def run(complete):
            pid = lab.child([*words, script])
            complete()
            os.waitpid(pid, 0)
            lab.children.remove(pid)
        return run

    def nohup(complete):
        pid = int(starters(lab)['nohup'].start(script)[1])
        complete()
        os.kill(pid, signal.SIGTERM)

    def setsid(complete):
        lab.call('setsid', '-f', script)
        complete()
        groups = Counter(map(os.getpgid, sleeps(seconds)))
        os.killpg(groups.most_common(1)[0][0], signal.SIGTERM)  # that of the command has three of the five

    found = {'bgt': bgt, 'kill of the pid, after nohup': nohup, 'timeout -k 1 1': limited('timeout', '-k', '1', '1'),
             'kill of the process group, after setsid -f': setsid}
    if lab.has('parallel'):
        found['parallel --timeout 1'] = limited('sh', '-c', 'parallel --will-cite --timeout 1 ::: "$1" 2> /dev/null', 'sh')
    return found


def queues(lab, script):
    known = starters(lab)

    def stopped(name, stop):
        def run(complete):
            task = known[name].start(script)[1]
            complete()
            stop(task)
        return run

    found = {}
    if 'tsp' in known:
        found['tsp -k'] = stopped('tsp', lambda task: lab.call('tsp', '-k', task))
    if 'nq' in known:
        found["kill of the process group, as nq's manual says"] = stopped(
            'nq', lambda task: os.killpg(int(task.rpartition('.')[2]), signal.SIGTERM))
    if 'pueue' in known:
        found['pueue kill'] = stopped('pueue', lambda task: lab.call(*known['pueue'].words('kill', task)))
    return found
