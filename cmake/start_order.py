#!/usr/bin/env python3
"""Writes cmake/start_order.ld: what a start executes, to be linked side by side.

usage: cmake/start_order.py BUILD        (BUILD: of the preset release; valgrind and binutils are needed)

A start touches a sixth of the text of the binary, a little everywhere, and the kernel maps it in windows of 64 KiB, each
for a page fault: in order it takes 10 windows instead of 40 in `bgt run`, and 6 instead of 24 in the supervisor. `bgt run` takes 0.91 of the
time by that (2.2 ms in place of 2.4, 63 page faults in place of 90; 2,000 pairs in turn). First comes
what the caller alone executes, then what both do, then what the supervisor does alone. An entry that no longer matches anything
costs nothing but its share of this; run this again when `bgt run` has changed much.
"""
import bisect
import collections
import os
import re
import subprocess
import sys
import tempfile
import time

HEAD = """/* Written by cmake/start_order.py, see there: the code of a start, side by side. */
SECTIONS
{
  .text.start :
  {
    . = ALIGN(64K);
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""
# Executed before main() to find the vDSO, which valgrind hides; and by a system call that it does not know.
UNSEEN = ['dl-object', 'dl-lookup', 'dl-setup_hash', 'faccessat']
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
    """What callgrind wrote of both processes, the caller's first; the supervisor's is whole a little after the task's end."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        texts = []
        for entry in sorted(os.listdir(folder)):
            with open(os.path.join(folder, entry), encoding='utf-8') as file:
                texts.append(file.read())
        if len(texts) == 2 and all('\ntotals:' in text for text in texts):
            return sorted(texts, key=lambda text: 'Supervisor3runEv' in text)
        time.sleep(0.05)
    sys.exit('callgrind did not write what two processes executed')


def functions_in(text):
    """Those with instructions of their own: a line after `calls=` is of what one calls."""
    names, found, name, is_call = {}, set(), '', False
    for line in text.splitlines():
        function = re.match(r'(c?)fn=\((\d+)\)(?: ([^\s\']+))?', line)
        if function:
            names.setdefault(function[2], function[3])
            name = name if function[1] else names[function[2]]
        elif re.match(r'[-+*\d]', line) and not is_call and int(line.split()[1]) > 0:
            found.add(name)
        is_call = line.startswith('calls=')
    return found


def executed(binary, root, options):
    """What `bgt run` executes, and what the supervisor of its task does, which alone calls setsid()."""
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ['valgrind', '--quiet', '--tool=callgrind', '--demangle=no', '--zero-before=setsid',
                    f'--callgrind-out-file={folder}/%p']
        subprocess.run([*valgrind, binary, 'run', *options, '--', 'true'], env={**os.environ, 'BGT_ROOT': root}, check=True,
                       stdout=subprocess.DEVNULL)
        return [functions_in(text) for text in costs(folder)]


def addresses_of(binary):
    """All addresses of each name: the compiler makes copies of a small function for several object files."""
    lines = subprocess.run(['nm', binary], capture_output=True, text=True, check=True).stdout.splitlines()
    addresses = collections.defaultdict(list)
    for row in (line.split() for line in lines):
        if len(row) == 3 and row[1] in 'tTiwWvV':
            addresses[row[2]].append(int(row[0], 16))
    return addresses


def sections_used(names, addresses, sections):
    begins = [section.address for section in sections]
    used = set()
    for address in (address for name in names for address in addresses[name]):
        at = bisect.bisect_right(begins, address) - 1
        if at >= 0 and address < sections[at].address + sections[at].size:
            used.add(sections[at])
    return used


def object_of(section):
    """How the linker script names an object file: ARCHIVE:MEMBER, or a file."""
    member = re.match(r'.*?([^/]+\.a)\(([^)]+)\)$', section.file)
    return f'*{member[1]}:{member[2]}' if member else f'*{os.path.basename(section.file)}'


def variants(name):
    """The same function of glibc for other processors: this one's is not all that is linked, and valgrind knows no AVX-512."""
    match = re.match(r'(\*libc\.a:\w+?)-avx2?(.*\.o)$', name)
    return [f'{match[1]}-{kind}{match[2]}' for kind in ('evex', 'avx512')] if match else []


def entries(used):
    lines = {}
    for section in sorted(used):
        name = object_of(section)
        if name.startswith('*libc.a:'):
            lines.update(dict.fromkeys(f'{each}(.text .text.[!u]*)' for each in [name, *variants(name)]))
        elif section.name.startswith('.text._Z'):
            lines[f'*({section.name})'] = None
        else:
            lines[f'{name}({section.name})'] = None
    return list(lines)


def order(binary, sections, root):
    """The entries of the script. What a first task or an option needs comes last."""
    addresses = addresses_of(binary)
    runs = [executed(binary, root, options) for options in (['--name', 'order'], [])]
    (by_option, by_option_later), (caller, supervisor) = \
        [[sections_used(names, addresses, sections) for names in run] for run in runs]
    groups = [caller - supervisor, caller & supervisor, supervisor - caller,
              (by_option | by_option_later) - caller - supervisor]
    lines = [f'*libc.a:{name}.o(.text .text.[!u]*)' for name in UNSEEN]
    for group in groups:
        lines += entries(group)
    return list(dict.fromkeys(lines))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        binary, mapfile = os.path.join(folder, 'bgt'), os.path.join(folder, 'map')
        link(os.path.abspath(sys.argv[1]), binary, mapfile)
        lines = order(binary, sections_of(mapfile), os.path.join(folder, 'root'))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'start_order.ld')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(HEAD + ''.join(f'    {line}\n' for line in lines) + TAIL)
    print(f'{len(lines)} entries in {path}')


main()
