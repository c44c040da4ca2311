#!/usr/bin/env python3
"""Writes cmake/start_order.ld: what a start executes, to be linked side by side.

usage: cmake/start_order.py BUILD        (BUILD: of the preset release; valgrind and binutils are needed)

A start touches a sixth of the text of the binary, a little everywhere, and the kernel maps it in windows of 64 KiB, each
for a page fault: in order it takes 20 windows instead of 40 in `bgt run`, and 15 instead of 24 in the supervisor. An entry that
no longer matches anything costs nothing but its share of this; run this again when `bgt run` has changed much.
"""
import bisect
import collections
import os
import re
import subprocess
import sys
import tempfile
import time

# Where so much of an object file is executed (or it is so small), all of it is taken, but for what the compiler calls
# unlikely: a line instead of twenty.
WHOLE_FROM, SMALL = 0.2, 2500
HEAD = """/* Written by cmake/start_order.py, see there: the code of a start, side by side. */
SECTIONS
{
  .text.start :
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""
Section = collections.namedtuple('Section', 'address size name file')


def link(build, binary, mapfile):
    """The program once more, with symbols, without the order, and with a map."""
    command = subprocess.run(['ninja', '-C', build, '-t', 'commands', 'bgt'], capture_output=True, text=True,
                             check=True).stdout.splitlines()[-1]
    command = re.sub(r' -Wl,-T,\S+', '', command).replace(' -s ', ' ')
    command = command.replace(' -o bgt ', f' -o {binary} -Wl,-Map={mapfile} ')
    subprocess.run(command, shell=True, cwd=build, check=True)


def sections_of(mapfile):
    """The input sections with code, by address. A long name stands on a line of its own."""
    with open(mapfile, encoding='utf-8') as file:
        text = file.read().split('Linker script and memory map', 1)[1]
    rows = re.findall(r'^ (\.text\S*)\s+(0x[0-9a-f]+)\s+(0x[0-9a-f]+) (\S.*)$', text, re.MULTILINE)
    found = [Section(int(at, 16), int(size, 16), name, file) for name, at, size, file in rows]
    return sorted(section for section in found if section.address and section.size)


def costs(folder):
    """What callgrind wrote of both processes; the supervisor's is whole a little after the task's end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        texts = []
        for entry in sorted(os.listdir(folder)):
            if entry.startswith('cost.'):
                with open(os.path.join(folder, entry), encoding='utf-8') as file:
                    texts.append(file.read())
        if len(texts) == 2 and all('\ntotals:' in text for text in texts):
            return texts
        time.sleep(0.05)
    sys.exit('callgrind did not write what two processes executed')


def executed(binary, folder):
    """The functions that `bgt run` and the supervisor of its task execute."""
    env = {**os.environ, 'BGT_ROOT': os.path.join(folder, 'root')}
    valgrind = ['valgrind', '--quiet', '--tool=callgrind', '--demangle=no', f'--callgrind-out-file={folder}/cost.%p']
    for command in ([*valgrind, binary, 'run', '--name', 'order', '--', 'true'], [binary, 'wait', 'order']):
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    names = {}
    for text in costs(folder):
        names.update(dict.fromkeys(re.findall(r"^c?fn=\(\d+\) ([^\s']+)", text, re.MULTILINE)))
    return list(names)


def addresses_of(binary):
    """Of each name all that bear it: the compiler makes copies of a small function for several object files."""
    lines = subprocess.run(['nm', binary], capture_output=True, text=True, check=True).stdout.splitlines()
    addresses = collections.defaultdict(list)
    for row in (line.split() for line in lines):
        if len(row) == 3 and row[1] in 'tTiwWvV':
            addresses[row[2]].append(int(row[0], 16))
    return addresses


def sections_used(names, addresses, sections):
    begins = [section.address for section in sections]
    used = {}
    for address in (address for name in names for address in addresses[name]):
        at = bisect.bisect_right(begins, address) - 1
        if at >= 0 and address < sections[at].address + sections[at].size:
            used[sections[at]] = True
    return list(used)


def object_of(section):
    """How the linker script names an object file: ARCHIVE:MEMBER, or a file."""
    member = re.match(r'.*?([^/]+\.a)\(([^)]+)\)$', section.file)
    return f'*{member[1]}:{member[2]}' if member else f'*{os.path.basename(section.file)}'


def entries(sections, used):
    of_object = collections.Counter()
    used_of = collections.Counter()
    for section in sections:
        of_object[object_of(section)] += section.size
    for section in used:
        used_of[object_of(section)] += section.size
    whole = {name for name in used_of if used_of[name] >= WHOLE_FROM * of_object[name] or of_object[name] < SMALL}
    lines = {}
    for section in used:
        name = object_of(section)
        if name in whole:
            lines[f'{name}(.text .text.[!u]*)'] = True
        else:
            lines[f'*({section.name})' if section.name.startswith('.text._Z') else f'{name}({section.name})'] = True
    return list(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        binary, mapfile = os.path.join(folder, 'bgt'), os.path.join(folder, 'map')
        link(os.path.abspath(sys.argv[1]), binary, mapfile)
        sections = sections_of(mapfile)
        lines = entries(sections, sections_used(executed(binary, folder), addresses_of(binary), sections))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'start_order.ld')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(HEAD + ''.join(f'    {line}\n' for line in lines) + TAIL)
    print(f'{len(lines)} entries in {path}')


main()
