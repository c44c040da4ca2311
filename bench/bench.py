"""Measures bgt beside its peers and holds it to its limits. bench/run.sh calls it; README.md tells how to read it."""

import argparse
import os
import platform
import signal
import sys
import time
from dataclasses import dataclass

import page
import parts_escape
import parts_growth
import parts_space
import parts_time
import parts_work
from lab import Lab
from table import Table

# ps comes first: later parts remove tasks from the large root, and the newest ids in it would be gaps.
PARTS = {'ps': parts_time.ps, 'start': parts_time.start, 'wait': parts_time.wait, 'kill': parts_time.kill,
         'escape': parts_escape.escape, 'logs': parts_work.logs, 'short': parts_work.short, 'output': parts_space.output,
         'idle': parts_space.idle, 'growth': parts_growth.growth, 'thousand': parts_space.thousand}


@dataclass
class Plan:
    rounds: int       # of commands that take a millisecond
    waits: int        # of what takes some tens of milliseconds a round
    slow: int         # of what takes longer
    pours: int        # of 1 GB
    watch: int        # seconds in which supervisors are watched for wake-ups
    grown: int        # of each verb at each number of tasks
    escapes: int      # of each tool
    max_running: int  # tasks at once in the part `growth`
    ended: int        # tasks in the large root


FULL = {'rounds': 500, 'waits': 100, 'slow': 12, 'pours': 5, 'watch': 60, 'grown': 50, 'escapes': 3,
        'max_running': 1000, 'ended': 10000}
QUICK = {'rounds': 50, 'waits': 10, 'slow': 3, 'pours': 1, 'watch': 3, 'grown': 10, 'escapes': 1,
         'max_running': 100, 'ended': 2000}


def options():
    parser = argparse.ArgumentParser(prog='bench/run.sh', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='fewer rounds: about two minutes instead of many')
    parser.add_argument('--bgt', help='the binary (default: build/release/bgt, else the one on the PATH)')
    parser.add_argument('--dir', help='where roots are made; its file system is "the disk" (default: $TMPDIR or /tmp)')
    parser.add_argument('--only', action='append', choices=PARTS, help='only this part (repeatable)')
    parser.add_argument('--ended', type=int, help='ended tasks in the large root (default: 10000, quick 2000)')
    parser.add_argument('--write', metavar='FILE', help='write the page of all that to FILE, its charts beside it')
    parser.add_argument('--tools', required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def find_bgt(wanted):
    here = os.path.dirname(os.path.abspath(__file__))
    built = os.path.join(os.path.dirname(here), 'build', 'release', 'bgt')
    for place in [wanted] if wanted else [built] + [f'{folder}/bgt' for folder in os.environ['PATH'].split(':')]:
        if os.access(place, os.X_OK):
            return os.path.abspath(place)
    sys.exit('bench: no bgt found; build it (README.md) or name it with --bgt FILE')


def measure(lab, table, plan, wanted):
    for name in (part for part in PARTS if part in (wanted or PARTS)):
        began = time.monotonic()
        PARTS[name](lab, table, plan)
        table.seconds[name] = time.monotonic() - began


def main():
    given = options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    lab = Lab(find_bgt(given.bgt), given.tools, given.dir)
    table = Table()
    plan = Plan(**(QUICK if given.quick else FULL))
    plan.ended = given.ended or plan.ended
    machine = page.Machine()
    try:
        print(f'{lab.call(lab.bgt, "version").splitlines()[0]}; Linux {platform.release()}, {os.cpu_count()} processors, '
              f'load {os.getloadavg()[0]:.1f}, roots on {parts_space.described(lab.folder)}')
        tools = page.versions(lab)
        measure(lab, table, plan, given.only)
        machine.end(parts_space.described(lab.folder).split('\n')[0])
    finally:
        lab.close()
    print(f'\n{table.missed} limits missed' if table.missed else '\nall limits held')
    print('seconds: ' + ', '.join(f'{name} {took:.0f}' for name, took in table.seconds.items()))
    if given.write:
        page.write(given.write, table, plan, machine, tools, 'bench/run.sh' + ' --quick' * given.quick)
    sys.exit(bool(table.missed))


if __name__ == '__main__':
    main()
