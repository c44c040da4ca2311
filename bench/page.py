"""docs/performance.md, made of what a run has measured."""

import json
import os
import platform
import subprocess
import time

from chart import chart
from parts_growth import VERBS

FACTS = '''\
- On a virtual machine most of any process start is glibc asking the processor for its caches: each `cpuid` is a trap
  into the host, 0.2 to 0.6 ms in all for each exec of any program, static or not, by the host. It is in every
  line of bgt and of every peer, once for each program that a line starts.
- A start that waits for the exec puts three wake-ups of an idle processor on its path, 10 to 100 microseconds each: the
  supervisor, the command, the report. `bgt run` waits for it, and so tells 126 and 127 from a start; tsp, nq, nohup and
  `setsid -f` return when they have forked, and cannot.
- How long the kernel takes to map a program depends on how its file came into the page cache: from a linker or `cmake
  --install` it lies there in single pages, from `cp` or a package manager in larger pieces. From single pages a start of
  bgt takes a tenth longer. Measured is a copy.
- `least.c` does what `bgt run` promises (the same files, processes and report) and nothing else. bgt beside it is bgt's
  own share; it beside `setsid -f` is the price of the promises.'''

METHODS = '''\
- Peers take turns with bgt, one sample each a round, each round beginning with another one; the first round is thrown
  away. A busy machine is busy for all of them.
- A value is the median, in brackets the quartiles. The ratio is that of the medians, bgt by peer: below 1 bgt takes less.
  In lines of GB/s and of tasks a second more is better.
- Times run from before a command is spawned until it is reaped. What a sample leaves behind is removed outside of that.
- Every tool has a folder, a socket and a daemon of its own, made for the run. Supervisors (s6, runit, supervisord, pm2)
  run already and know their service when they are told to start it.
- logs: stdout is read to its end through a pipe of 1 MiB; the number of bytes is compared.
- escape: counted 1 s after the tool's stop has returned, for bgt at its return.
- idle: the sum over the processes that a tool keeps for one sleeping command. A wake-up is a change of its context
  switches.
- More, and what distorts it, is in [bench/README.md](../bench/README.md).'''


def first_line(path, begin):
    with open(path, encoding='utf-8') as file:
        return next((line.partition(':')[2].strip() for line in file if line.startswith(begin)), 'unknown')


def everybody():
    return [pid for pid in os.listdir('/proc') if pid.isdigit()]


class Machine:
    """What it is, and how busy it was from the beginning to end()."""

    def __init__(self):
        self.began, self.load, self.known = time.time(), os.getloadavg(), len(everybody())

    def end(self, file_system):
        self.ended, self.load_after, self.file_system = time.time(), os.getloadavg(), file_system
        self.known_after = len(everybody())

    def lines(self):
        memory = int(first_line('/proc/meminfo', 'MemTotal').split()[0]) / 1024 ** 2
        virtual = ', virtual' if 'hypervisor' in first_line('/proc/cpuinfo', 'flags').split() else ''
        load, after = (f'{one:.2f} (1 min), {five:.2f} (5 min)' for one, five, _ in (self.load, self.load_after))
        return [f'- {first_line("/proc/cpuinfo", "model name")}, {os.cpu_count()} processors{virtual}, {memory:.0f} GiB; '
                f'Linux {platform.release()}; roots on {self.file_system}',
                f'- {time.strftime("%Y-%m-%d", time.gmtime(self.began))}, {(self.ended - self.began) / 60:.0f} minutes; '
                f'scheduled {scheduling()}',
                f'- load average at the start: {load}; at the end: {after}, the measurement itself included',
                f'- processes on the machine, ended ones that nobody has reaped included: {self.known} at the start, '
                f'{self.known_after} at the end (`bgt ps` looks at each for those of its tasks)']


def scheduling():
    return {os.SCHED_RR: 'before everything else (`chrt -r 1`)', os.SCHED_FIFO: 'before everything else (`chrt -f 1`)'}.get(
        os.sched_getscheduler(0), 'like everything else')


def versions(lab):
    """name -> version of the tools that are there. Debian's package knows it where a tool has no way to say it."""
    asked = {'bgt': [lab.bgt, 'version'], 'parallel': ['parallel', '--version'], 'supervisord': ['supervisord', '-v'],
             'setsid': ['setsid', '-V'], 'nohup': ['nohup', '--version'],
             'timeout': ['timeout', '--version'], 'tsp': ['tsp', '-V'], 'pueue': ['pueue', '--version'],
             'process-compose': ['process-compose', 'version', '--short']}
    packages = {'nq': 'nq', 's6-supervise': 's6', 'runsv': 'runit'}
    found = {}
    for name, words in asked.items():
        if lab.has(words[0]):
            text = subprocess.run(words, env=lab.env, capture_output=True, text=True, check=False).stdout.strip()
            found[name] = text.partition('\n')[0]
    for name, package in packages.items():
        if lab.has(name):
            answer = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], capture_output=True, text=True,
                                    check=False)
            found[name] = f'{package} {answer.stdout or "(version unknown)"}'
    if pm2 := lab.has('pm2'):  # asked for its version it would start a daemon
        with open(os.path.join(os.path.dirname(os.path.realpath(pm2)), '..', 'package.json'), encoding='utf-8') as file:
            found['pm2'] = json.load(file)['version']
    found['libc'] = ' '.join(platform.libc_ver())
    return found


def code(words):
    return words.replace('|', '\\|')


def section(part):
    title = part.title.replace('\n', ' ')
    lines = [f'### {title[0].upper()}{title[1:]}', '', '| | bgt | peer | ratio | limit | |',
             '|---|---:|---:|---:|---:|---|']
    for line in part.lines:
        verdict = f'**{line.verdict}**' if line.verdict == 'MISSED' else line.verdict
        lines.append(f'| {code(line.what)} | {line.ours} | {line.peer} | {line.ratio} | {line.limit} | {verdict} |')
    return lines + ['']


def charts(folder, name, table):
    """Writes them into the folder `name` beside the page; gives the lines that show them."""
    if not table.growth:
        return []
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    lines = ['### How it grows', '']
    for (verb, kind), tools in table.growth.items():
        file = f'{name}/{verb.replace(" -", "-")}-{kind}.svg'
        title = f'{VERBS[verb]}, by {kind} tasks'
        with open(os.path.join(folder, file), 'w', encoding='utf-8') as out:
            out.write(chart(f'bgt {verb}: {title}', f'{kind} tasks', tools))
        lines.append(f'![{title}]({file})')
    return lines + ['']


def better(table):
    lines = []
    for part in table.sections:
        title = part.title.split('\n')[0].partition(':')[0].partition(' of what')[0].partition(' in ')[0]
        lines += [f'- {title}, {code(line.what)}: {line.better}' for line in part.lines if line.better]
    return lines or ['Nowhere in this run.']


def missed(table):
    return [f'- {part.title.split(":")[0]}, {code(line.what)}: {line.ours}, {line.ratio or "alone"}, limit {line.limit}'
            for part in table.sections for line in part.lines if not line.held]


def write(path, table, plan, machine, tools, command):
    folder, name = os.path.dirname(os.path.abspath(path)), os.path.splitext(os.path.basename(path))[0]
    lines = ['# Performance', '', f'`{command} --write docs/performance.md` has measured and written all of this. '
             f'A short command was run {plan.rounds} times, a longer one {plan.waits} or {plan.slow} times.', '',
             '## Machine', '', *machine.lines(), '', '## Versions', '',
             '; '.join(f'{tool}: {version}' for tool, version in tools.items()) + '.', '']
    if table.absent:
        lines += [f'Not installed here, so left out: {", ".join(table.absent)}.', '']
    lines += ['## What to know first', '', FACTS, '', '## Limits', '',
              *(missed(table) or ['All limits were held.']), '', '## Where a peer is better', '',
              'bgt\'s figure to the peer\'s, and what the peer leaves out for it.', '', *better(table), '',
              '## The numbers', '', *charts(folder, name, table)]
    for part in table.sections:
        lines += section(part)
    lines += ['## Methods', '', METHODS, '']
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines))
