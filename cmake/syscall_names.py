#!/usr/bin/env python3
"""Writes src/os/evidence/syscall_names.inc: the names of the system calls of x86-64 and arm64.

usage: cmake/syscall_names.py [INCLUDE]     (INCLUDE: the kernel's user headers, /usr/include; linux-libc-dev)

To be run again when a newer kernel has more of them. arm64 uses the generic table.
"""
import pathlib
import re
import sys

TARGET = pathlib.Path(__file__).parents[1] / "src/os/evidence/syscall_names.inc"
NUMBER = re.compile(r"^#define __NR(3264)?_(\w+)\s+(\d+)\s*$", re.M)
# The generic header names some calls by macros: #define __NR_fcntl __NR3264_fcntl
ALIAS = re.compile(r"^#define __NR_(\w+) __NR3264_(\w+)\s*$", re.M)


def names(path):
    text = path.read_text()
    table = {}
    shared = {}
    for wide, name, number in NUMBER.findall(text):
        if wide:
            shared[name] = int(number)
        elif name not in ("syscalls", "arch_specific_syscall"):
            table.setdefault(int(number), name)
    # Of two names for one number the first is that of 64 bits.
    for name, of in ALIAS.findall(text):
        if of in shared:
            table.setdefault(shared[of], name)
    return table


def rows(table):
    line = "   "
    for number in sorted(table):
        item = f' {{{number}, "{table[number]}"}},'
        if len(line) + len(item) > 100:
            yield line
            line = "   "
        line += item
    yield line


def main():
    include = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/include")
    found = sorted(include.glob("**/asm/unistd_64.h"))
    if not found:
        sys.exit(f"no asm/unistd_64.h under {include}: install linux-libc-dev")
    parts = [("__x86_64__", names(found[0])), ("__aarch64__", names(include / "asm-generic/unistd.h"))]
    lines = ["// Written by cmake/syscall_names.py: number and name of each system call, ascending."]
    for nth, (machine, table) in enumerate(parts):
        lines.append(f"#{'el' if nth else ''}if defined({machine})")
        lines += rows(table)
    lines.append("#endif")
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
