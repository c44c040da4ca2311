#!/usr/bin/env python3
"""Types hostile names and tags into real shells: nothing of them may run, and what is offered must
arrive as one word.

usage: run.py --bgt PROGRAM [--shell NAME] [--only TEXT]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from corpus import HOSTILE, HOSTILE_NAMES
from shells import SHELLS, Lab, NoAnswer, Shell, commands

sys.path.append(str(Path(__file__).parents[1] / "support"))
from crc32c import crc32c  # noqa: E402

MOST_GIVEN_UP = 5  # each costs the patience of the test
END = b"\r"
DROP = b"\x15"  # Ctrl-U: the line is given up


def is_offered(value: bytes) -> bool:
    """A candidate is one line that a person sees as it is."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    return text.isprintable() and len(value) < 500


def craft_name(task: Path, old: bytes, new: bytes) -> None:
    """Puts a name that bgt refuses into the records of a task, with the right checksums."""
    assert len(old) == len(new)
    record = bytearray((task / "status").read_bytes())
    half = len(record) // 2
    for begin in (0, half):
        slot = record[begin : begin + half].replace(old, new)
        slot[-4:] = struct.pack("<I", crc32c(bytes(slot[:-4])))
        record[begin : begin + half] = slot
    (task / "status").write_bytes(record)
    spec = json.loads((task / "spec.json").read_text())
    spec["name"] = new.decode("utf-8", "surrogateescape")
    (task / "spec.json").write_bytes(
        json.dumps(spec, ensure_ascii=False).encode("utf-8", "surrogateescape")
    )


def populate(lab: Lab) -> None:
    tags = [b"--tag=" + f"k{i:02}=".encode() + value for i, value in enumerate(HOSTILE)]
    keys = [b"--tag=" + value + b"=key" for value in HOSTILE if value and b"=" not in value]
    lab.start("--name", "web-1", *tags, *keys, "--", "true")
    lab.start(
        "--tag",
        "benign=two words",
        "--name",
        "benign",
        "--",
        "printf",
        "%s",
        "$(touch pwn60)\x1b]0;x\x07",
    )
    for number, name in enumerate(HOSTILE_NAMES):
        plain = b"n" * len(name)
        task = lab.start("--name", plain, "--tag", f"crafted{number}=v", "--", "true")
        craft_name(lab.root / "tasks" / task, plain, name)
        os.symlink(task, os.fsencode(lab.root / "names") + b"/" + name)
    task = lab.start("--", "true")
    spec = json.loads((lab.root / "tasks" / task / "spec.json").read_text())
    spec["tags"] = {
        "nul\0$(touch pwn61)": "v",
        "z\t$(touch pwn62)": "v",
        "planted": "$(touch pwn63)\nplanted=`touch pwn64`",
    }
    (lab.root / "tasks" / task / "spec.json").write_text(json.dumps(spec))
    for value in HOSTILE:
        if value and b"/" not in value and len(value) < 200:
            (Path(os.fsdecode(os.fsencode(lab.cwd) + b"/f-" + value))).write_text("")
            (lab.bin / os.fsdecode(b"c-" + value)).write_text("#!/bin/sh\n")
            (lab.bin / os.fsdecode(b"c-" + value)).chmod(0o755)
    local = lab.cwd / "bgt"
    local.write_text("#!/bin/sh\ntouch pwn-local\n")
    local.chmod(0o755)


class Checks:
    def __init__(self, only: str):
        self.only, self.passed, self.failed, self.given_up = only, 0, 0, 0

    def run(self, name: str, lab: Lab, check) -> None:
        if self.only not in name:
            return
        before = set(lab.canaries())
        try:
            wrong = check()
        except NoAnswer as problem:
            wrong = str(problem)
            self.given_up += 1
            if self.given_up == MOST_GIVEN_UP:
                raise
        ran = sorted(set(lab.canaries()) - before)
        if ran:
            wrong = f"it ran something: {', '.join(ran)}; {wrong or ''}"
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)
        if wrong:
            print(f"failed: {name}: {wrong}", flush=True)


def differs(words: list[bytes], expected: list[bytes]) -> str:
    return "" if words == expected else f"bgt was given {words!r}, not {expected!r}"


def each_tag(shell: Shell, number: int, value: bytes, how: bytes, given: list[bytes]) -> str:
    """`how` is the beginning of the line, its last word "kNN=" in some quotation."""
    key = f"k{number:02}=".encode()
    whole = is_offered(value)
    if not (value and whole) and (b"'" in how or b'"' in how):
        return ""  # an open quotation that nothing closes
    if how.count(b'"') % 2 and b"!" in value:
        return differs(
            shell.words_of(how.replace(b"KEY", key) + b"\t" + DROP + b"bgt done" + END), [b"done"]
        )
    words = shell.words_of(how.replace(b"KEY", key) + b"\t" + END)
    return differs(words, given[:-1] + [given[-1].replace(b"KEY", key) + (value if whole else b"")])


WAYS = [
    (b"bgt ps --tag KEY", [b"ps", b"--tag", b"KEY"]),
    (b"bgt ps --tag=KEY", [b"ps", b"--tag=KEY"]),
]
QUOTED_WAYS = [
    (b"bgt ps --tag 'KEY", [b"ps", b"--tag", b"KEY"]),
    (b'bgt ps --tag "KEY', [b"ps", b"--tag", b"KEY"]),
    (b"bgt ps --tag KEY'", [b"ps", b"--tag", b"KEY"]),
    (b'bgt ps --tag=KEY"', [b"ps", b"--tag=KEY"]),
]


def tags_arrive(checks: Checks, lab: Lab, name: str, shell: Shell) -> None:
    for way, given in WAYS + (
        QUOTED_WAYS if name == "bash" else []
    ):  # the others do not leave quoting to the script
        for number, value in enumerate(HOSTILE):
            checks.run(
                f"{name}: {way.decode()} {value!r}"[:100],
                lab,
                lambda: each_tag(shell, number, value, way, given),
            )
    for way in (
        b"bgt ps --tag benign=two\\ w",
        b"bgt ps --tag 'benign=two w",
        b'bgt ps --tag "benign=two w',
        b"bgt ps --tag ben",
        b"bgt ps --tag benign='two w",
    ):
        checks.run(
            f"{name}: begun {way.decode()}",
            lab,
            lambda: differs(
                shell.words_of(way + b"\t" + END), [b"ps", b"--tag", b"benign=two words"]
            ),
        )


LISTS = [
    b"bgt ps --tag ",
    b"bgt ps --tag=",
    b"bgt ps --tag 'k",
    b'bgt ps --tag "',
    b"bgt ps --tag $",
    b"bgt ps --tag \\$",
    b"bgt ps --tag '",
    b"bgt ps --tag \\`",
    b"bgt ps --tag a",
    b"bgt show ",
    b"bgt show n",
    b"bgt show --name ",
    b"bgt show --name=",
    b"bgt kill \\$",
    b"bgt run --env-file ",
    b"bgt run --env-file f-",
    b"bgt run --stdin 'f-",
    b"bgt run --cwd ",
    b"bgt run -c c-",
    b"bgt run c-",
    b"bgt run -- true f-",
    b"bgt ps --root=",
    b"bgt --root ",
    b"bgt ps --state ",
    b"bgt wait --for ",
    b"bgt config ",
    b"bgt ",
    b"bgt ps --",
    b"./bgt ps --tag k0",
    b"./bgt ps ",
    b"bgt --root=$(touch${IFS}pwn70) ps ",
    b"bgt --root `touch pwn71` ps --tag ",
    b"bgt ps --root=$(touch${IFS}pwn72) --tag k",
]


def lists_run_nothing(checks: Checks, lab: Lab, name: str, shell: Shell) -> None:
    for line in LISTS:
        checks.run(
            f"{name}: list {line.decode()}",
            lab,
            lambda: differs(shell.words_of(line + b"\t\t" + DROP + b"bgt done" + END), [b"done"]),
        )
    for line in (b"bgt ps --tag ", b"bgt show ", b"bgt show --name ", b"bgt run --env-file "):

        def ends(line=line):
            shell.words_of(line + b"\t\t" + END + END)
            return ""

        checks.run(f"{name}: list and Enter {line.decode()}", lab, ends)
    checks.run(
        f"{name}: names",
        lab,
        lambda: differs(shell.words_of(b"bgt show we\t" + END), [b"show", b"web-1"]),
    )
    checks.run(
        f"{name}: --name",
        lab,
        lambda: differs(
            shell.words_of(b"bgt show --name beni\t" + END), [b"show", b"--name", b"benign"]
        ),
    )
    checks.run(
        f"{name}: a file",
        lab,
        lambda: differs(
            shell.words_of(b"bgt run --env-file f-a\\ \\ \t" + END),
            [b"run", b"--env-file", b"f-a  b"],
        ),
    )
    (lab.cwd / "q-one\nq-two").touch()
    if name != "fish":  # which offers what contains the word, as it does everywhere
        checks.run(
            f"{name}: no file by a part of its name",
            lab,
            lambda: differs(shell.words_of(b"bgt run --env-file q-t\t" + END), [b"run", b"--env-file", b"q-t"]),
        )
    checks.run(
        f"{name}: a condition",
        lab,
        lambda: differs(
            shell.words_of(b"bgt wait --for log-f\tx" + END), [b"wait", b"--for", b"log-fail:x"]
        ),
    )
    checks.run(
        f"{name}: an option",
        lab,
        lambda: differs(shell.words_of(b"bgt ps --no-h\t" + END), [b"ps", b"--no-header"]),
    )


def answers_hold_no_hostile_text(checks: Checks, lab: Lab) -> None:
    def names():
        found = lab.run("completion", "name-list").split(b"\n")[:-1]
        return differs(sorted(line.split(b"\t")[0] for line in found), [b"benign", b"web-1"])

    def tags():
        found = lab.run("completion", "tag-list")
        wrong = [line for line in found.split(b"\n")[:-1] if not is_offered(line)]
        return f"offered: {wrong!r}" if wrong or b"benign=two words\n" not in found else ""

    def shown():
        wrong = [c for c in lab.run("ps", "-a").decode().replace("\n", "") if not c.isprintable()]
        return f"the table holds {wrong!r}" if wrong else ""

    checks.run("answer: names", lab, names)
    checks.run("answer: tags", lab, tags)
    checks.run("answer: ps -a", lab, shown)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--shell", default="", help="this one alone")
    parser.add_argument("--only", default="", help="checks whose name holds this")
    arguments = parser.parse_args()
    checks = Checks(arguments.only)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lab = Lab(Path(folder), arguments.bgt)
        populate(lab)
        answers_hold_no_hostile_text(checks, lab)
        for name, command in commands(lab).items():
            if arguments.shell not in ("", name):
                continue
            try:
                with Shell(lab, command) as shell:
                    tags_arrive(checks, lab, name, shell)
                    lists_run_nothing(checks, lab, name, shell)
            except NoAnswer:
                checks.failed += 1
                print(f"failed: {name} is given up")
    for name in SHELLS:
        if shutil.which(name) is None:
            print(f"skipped: {name} is not there")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
