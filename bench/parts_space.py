"""What things cost: output, memory, wake-ups."""

import contextlib
import os
import time

from lab import DEADLINE, cpu_seconds, memory, switches
from process_table import children, process
from parts_time import interleaved
from peers import starters, watchers_of_sleep
from services import installed
from table import Sample

GIGABYTE = 10 ** 9
QUIET_AFTER = 60  # seconds, bgt's default
REDIRECTS = 'The program writes into its file itself; nobody knows when it wrote, how much to keep, or that it is stuck.'


def file_system(folder):
    """Type of the file system that holds `folder`."""
    best = ('', 'unknown')
    with open('/proc/mounts', encoding='utf-8') as file:
        for line in file:
            _, place, kind = line.split()[:3]
            if (folder + '/').startswith(place.rstrip('/') + '/') and len(place) >= len(best[0]):
                best = (place, kind)
    return best[1]


def described(folder):
    """The file system, with what of it decides how long it takes to make a file."""
    kind = file_system(folder)
    if kind != 'ext4':
        return kind
    device = os.stat(folder).st_dev
    name = os.path.basename(os.path.realpath(f'/sys/dev/block/{os.major(device)}:{os.minor(device)}'))
    journals = os.listdir('/proc/fs/jbd2') if os.path.isdir('/proc/fs/jbd2') else []
    if any(journal.startswith(f'{name}-') for journal in journals):
        return kind
    return ('ext4 without a journal\n'
            'NOTE: such a file system takes up to 0.3 ms to make a file while others are being deleted (it steers clear of\n'
            'their inodes for 5 s). That is in every time of bgt below that starts a task; use --dir for another place.')


def room(folder):
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


class Pour:
    """1 GB of output in one folder, by each of the tools. Speeds are GB/s from the start of the tool's command until
    every byte is where it belongs."""

    def __init__(self, lab, folder, root, writer):
        self.lab, self.folder, self.root, self.writer = lab, folder, root, writer
        self.cpu, self.memory = Sample(), Sample()

    def redirect(self, through=''):
        target = os.path.join(self.folder, 'redirected')
        took, _ = self.lab.time(['sh', '-c', f'{self.writer} {through} > "$0"', target])
        assert os.path.getsize(target) == GIGABYTE
        os.unlink(target)
        return GIGABYTE / took / 1e6

    def tsp(self):
        lab = self.lab
        with lab.environment(TMPDIR=self.folder):
            began = time.monotonic()
            task = lab.call('tsp', 'sh', '-c', self.writer)
            lab.call('tsp', '-w', task)
            took = time.monotonic() - began
        target = lab.call('tsp', '-o', task)
        assert target.startswith(self.folder) and os.path.getsize(target) == GIGABYTE
        os.unlink(target)
        return GIGABYTE / took / 1e9

    def bgt(self, *options):
        """The task waits at a gate when it has written all, so that its supervisor can be looked at."""
        lab, gate = self.lab, os.path.join(self.folder, 'gate')
        os.mkfifo(gate)
        script = f'{self.writer}; exec {lab.worker} gate {gate} /dev/null'
        began = time.monotonic()
        task = lab.call(*lab.at(self.root, 'run', *options, '-c', script))
        supervisor = lab.supervisor(self.root, task)
        log = os.path.join(self.root, 'tasks', task, 'out.log')
        most, looks = 0, 0
        while os.path.getsize(log) < GIGABYTE:
            if time.monotonic() > began + DEADLINE:
                raise RuntimeError(f'{log} does not get every byte')
            if looks % 20 == 0:
                most = max(most, private(supervisor))
            looks += 1
            time.sleep(0.001)
        took = time.monotonic() - began
        time.sleep(0.05)  # for the supervisor to go to sleep
        self.cpu.append(cpu_seconds(supervisor))
        self.memory.append(max(most, private(supervisor)) / 1024)
        os.close(os.open(gate, os.O_WRONLY))
        lab.call(*lab.at(self.root, 'wait', task))
        assert os.path.getsize(log) == GIGABYTE
        lab.call(*lab.at(self.root, 'rm', task))
        os.unlink(gate)
        return GIGABYTE / took / 1e9


def private(pid):
    """kB that are the supervisor's own, and its helpers': what they have written to. Pages of the binary are not in it: they
    are the page cache's, one copy for all, and called private only while no other bgt happens to run."""
    total = 0
    helpers = [child for child in children(pid) if (seen := process(child)) and seen.name == 'bgt:helper']
    for one in [pid, *helpers]:
        with contextlib.suppress(OSError):  # a helper may end just now
            facts = memory(one)
            total += facts['Private_Dirty']
    return total


def output(lab, table, plan):
    table.head('output: 1 GB through a task beside `> file` (GB/s)')
    places = [lab.folder]
    if file_system(lab.folder) != 'tmpfs' and os.path.isdir('/dev/shm') and room('/dev/shm') > 4 * GIGABYTE:
        places.append(lab.elsewhere('/dev/shm'))
    for folder in places:
        output_in(folder, lab, table, plan)


def output_in(folder, lab, table, plan):
    kind = file_system(folder)
    head, fast = f'head -c {GIGABYTE} /dev/zero', f'{lab.worker} pour {GIGABYTE}'
    kept, whole, fastest = (Pour(lab, folder, lab.root(f'pour-{name}', folder=folder), writer)
                            for name, writer in (('kept', head), ('whole', head), ('fastest', fast)))
    subjects = {'bgt': kept.bgt, 'redirect': kept.redirect, 'bgt, all': lambda: whole.bgt('--log-max', 'off'),
                'cat': lambda: kept.redirect('| cat'), 'bgt, fast': lambda: fastest.bgt('--log-max', 'off'),
                'redirect, fast': fastest.redirect, 'cat, fast': lambda: fastest.redirect('| cat')}
    if lab.has('tsp'):
        starters(lab)  # its server
        subjects['tsp'] = kept.tsp
    speed = interleaved(plan.pours, subjects)
    table.beside(f'{kind}, head -c: the newest 256 MiB kept (default)', speed['bgt'], speed['redirect'], least=0.85,
                 why=REDIRECTS)
    table.beside(f'{kind}, head -c: all kept (--log-max off)', speed['bgt, all'], speed['redirect'], least=0.85,
                 why=REDIRECTS)
    table.beside(f'{kind}, head -c: all kept, beside `| cat > file`', speed['bgt, all'], speed['cat'], more=True)
    if 'tsp' in speed:
        table.beside(f'{kind}, head -c: all kept, beside tsp', speed['bgt, all'], speed['tsp'], more=True, why=REDIRECTS)
    table.beside(f'{kind}, fastest writer: all kept', speed['bgt, fast'], speed['redirect, fast'], more=True,
                 why='A program that does nothing but write pays for the second copy; few programs are one.')
    table.beside(f'{kind}, fastest writer: all kept, beside `| cat > file`', speed['bgt, fast'], speed['cat, fast'],
                 more=True)
    for name, pour in (('newest 256 MiB kept', kept), ('all kept', whole), ('fastest writer', fastest)):
        table.alone(f"{kind}: the supervisor's CPU, {name}", pour.cpu, most=0.6, unit='s')
        table.alone(f"{kind}: its private dirty memory, {name}", pour.memory, most=2, unit='MiB')


def idle(lab, table, plan):
    table.head('idle: what watches a command that sleeps (kB private dirty)')
    root = lab.root('idle')
    lab.run_many(root, 21, 'sleep 100000')
    supervisors = supervisors_of(lab, root)
    ends = []
    watchers = {}
    for name, starter in starters(lab).items():
        if name not in ('setsid -f', 'nohup'):  # nobody watches
            watchers[name], end = watchers_of_sleep(starter)
            ends.append(end)
    for kind in installed(lab, table):
        service = kind(lab, 'idle', 'exec sleep 100000')
        service.start()
        watchers[kind.name] = [service.watcher()]
        ends.append(service.close)
    time.sleep(2)
    dirty = Sample(memory(pid)['Private_Dirty'] for pid in supervisors)
    table.alone('a supervisor of bgt', dirty, most=150, unit='kB')
    table.alone('its proportional share of everything (PSS)', Sample(memory(pid)['Pss'] for pid in supervisors),
                unit='kB')
    for name, pids in watchers.items():
        theirs = Sample([sum(memory(pid)['Private_Dirty'] for pid in pids)])
        table.beside(f'beside {name}', dirty, theirs, why=SMALLER.get(name, ''))
    wake_ups(lab, table, plan, supervisors, watchers)
    for end in ends:
        end()
    lab.remove_root(root)


SMALLER = {'least.c': "It holds no specification, no rules and no log index: that is bgt's own share.",
           'nq': 'It waits in one system call and knows nothing but the end of its child.',
           'tsp': 'This is the process that it keeps for each task; its server comes on top, once. It reads no output.',
           's6': 'It knows a process and a FIFO: no output, no tree, no history.',
           'runit': 'It knows a process and a FIFO: no output, no tree, no history.'}


def supervisors_of(lab, root):
    return [int(pid) for pid in lab.call(*lab.at(root, 'ps', '--no-header', '--format', '{supervisor}')).split()]


def wake_ups(lab, table, plan, supervisors, watchers):
    table.head(f'wake-ups in {plan.watch} s of what watches a command that sleeps, by its context switches')
    traced, *others = supervisors
    strace = None
    report = os.path.join(lab.folder, 'strace')
    if lab.has('strace'):
        strace = lab.child(['strace', '-qq', '-o', report, '-p', str(traced)])
        time.sleep(1)
    watched = {'bgt': others, **watchers}
    before = {name: sum(map(switches, pids)) for name, pids in watched.items()}
    time.sleep(plan.watch)
    woke = {name: Sample([sum(map(switches, pids)) - before[name]]) for name, pids in watched.items()}
    # After a minute without output each looks at its task once, and calls it quiet from then on.
    looks = len(others) if plan.watch > QUIET_AFTER - 10 else 0
    table.alone(f'{len(others)} supervisors of bgt together', woke['bgt'], most=looks, unit='')
    for name in watchers:
        table.beside(f'beside one {name}', woke['bgt'], woke[name],
                     why='It never looks; each of the 20 has looked once, to tell that its task is quiet.' if looks else '')
    if not strace:
        return table.missing('strace')
    lab.stop_child(strace)
    with open(report, encoding='utf-8') as file:
        # The call that it sleeps in is there as cut off by the end of strace.
        calls = [line for line in file if '<detached' not in line and not line.startswith(('---', 'strace:'))]
    return table.alone('system calls of another supervisor of bgt, by strace', Sample([len(calls)]),
                       most=None if looks else 0, unit='')


def thousand(lab, table, plan):
    table.head('1,000 sleeping tasks at once')
    root = lab.root('thousand')
    began = time.monotonic()
    lab.run_many(root, 1000, 'sleep 100000')
    started = time.monotonic() - began
    supervisors = supervisors_of(lab, root)
    if len(supervisors) != 1000:
        raise RuntimeError(f'{len(supervisors)} supervisors of 1,000 tasks')
    time.sleep(1)
    tree = supervisors + [child for pid in supervisors for child in children(pid)]
    if len(tree) != 2000:
        raise RuntimeError(f'{len(tree)} processes of 1,000 tasks')
    shares = Sample([sum(memory(pid)['Pss'] for pid in tree) / 1000])
    table.alone('memory of supervisors and sleeps (sum of PSS)', shares, most=400, unit='MB')
    took = interleaved(plan.waits // 2, {'ps': lambda: lab.time(lab.at(root, 'ps'))[0]})
    table.alone('bgt ps', took['ps'], most=60)
    table.alone('bgt run by four shells at once, each', Sample([started]))
    table.alone('bgt kill --all', Sample([lab.time(lab.at(root, 'kill', '--all'))[0]]))
    lab.remove_root(root)
