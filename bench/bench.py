"""Measures bgt beside its peers and holds it to its limits. bench/run.sh calls it; README.md tells how to read it."""

import argparse
import os
import platform
import signal
import sys
from dataclasses import dataclass

import parts_space
import parts_time
from lab import Lab
from table import Table

# ps comes first: later parts remove tasks from the large root, and the newest ids in it would be gaps.
PARTS = {'ps': parts_time.ps, 'start': parts_time.start, 'wait': parts_time.wait, 'kill': parts_time.kill,
         'output': parts_space.output, 'idle': parts_space.idle, 'thousand': parts_space.thousand}


@dataclass
class Plan:
    rounds: int   # of commands that take a millisecond
    waits: int    # of what takes some tens of milliseconds a round
    slow: int     # of what takes longer
    pours: int    # of 1 GB
    watch: int    # seconds in which supervisors are watched for wake-ups
    ended: int    # tasks in the large root


FULL = {'rounds': 500, 'waits': 100, 'slow': 20, 'pours': 9, 'watch': 60}
QUICK = {'rounds': 100, 'waits': 20, 'slow': 5, 'pours': 3, 'watch': 5}


def options():
    parser = argparse.ArgumentParser(prog='bench/run.sh', description=__doc__)
    parser.add_argument('--quick', action='store_true', help='fewer rounds: about a minute instead of many')
    parser.add_argument('--bgt', help='the binary (default: build/release/bgt, else the one on the PATH)')
    parser.add_argument('--dir', help='where roots are made; its file system is "the disk" (default: $TMPDIR or /tmp)')
    parser.add_argument('--only', action='append', choices=PARTS, help='only this part (repeatable)')
    parser.add_argument('--ended', type=int, default=10000, help='ended tasks in the large root (default: 10000)')
    parser.add_argument('--tools', required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def find_bgt(wanted):
    here = os.path.dirname(os.path.abspath(__file__))
    built = os.path.join(os.path.dirname(here), 'build', 'release', 'bgt')
    for place in [wanted] if wanted else [built] + [f'{folder}/bgt' for folder in os.environ['PATH'].split(':')]:
        if os.access(place, os.X_OK):
            return os.path.abspath(place)
    sys.exit('bench: no bgt found; build it (README.md) or name it with --bgt FILE')


def main():
    given = options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    lab = Lab(find_bgt(given.bgt), given.tools, given.dir)
    table = Table()
    plan = Plan(**(QUICK if given.quick else FULL), ended=given.ended)
    try:
        print(f'{lab.call(lab.bgt, "version").splitlines()[0]}; Linux {platform.release()}, {os.cpu_count()} processors, '
              f'load {os.getloadavg()[0]:.1f}, roots on {parts_space.described(lab.folder)}')
        for name in (part for part in PARTS if part in (given.only or PARTS)):
            PARTS[name](lab, table, plan)
    finally:
        lab.close()
    print(f'\n{table.missed} limits missed' if table.missed else '\nall limits held')
    sys.exit(bool(table.missed))


if __name__ == '__main__':
    main()
