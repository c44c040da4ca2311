#!/usr/bin/env python3
"""Runs each sh block of docs/cookbook.md and compares what it prints with the text block after it;
and each examples/NAME.sh, with tests/cookbook/NAME.txt.

A block runs with `sh -e` in a folder, a home and a state root of its own. It fails if it ends with
a code other than 0, prints something else than the document says, takes too long, or leaves a
process that `bgt kill --all` does not end. `...` in a text block stands for any text in a line, and
a line that is only `...` for any lines. A sh block without a text block must print nothing.

usage: run.py --bgt PROGRAM [--only REGEX] [DOCUMENT]      the last line is "N passed, N failed"
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
COOKBOOK = HERE.parents[1] / "docs" / "cookbook.md"
PATIENCE = 60.0  # seconds for one block, and for the end of what it started
FENCE = re.compile(r"^```(\w*)\s*$")


@dataclass
class Block:
    """One sh block: the heading above it, its line in the document, and what it must print."""

    title: str
    line: int
    script: str
    expected: list[str] = field(default_factory=list)


def blocks_of(document: str) -> list[Block]:
    """The sh blocks in their order. A text block belongs to the sh block directly above it."""
    blocks: list[Block] = []
    title, kind, start, body = "", None, 0, []
    last = None  # the sh block that a text block may still belong to
    for number, line in enumerate(document.splitlines(), 1):
        fence = FENCE.match(line)
        if kind is None and fence:
            kind, start, body = fence.group(1), number, []
        elif kind is None:
            if line.startswith("#"):
                title = line.lstrip("# ")
            if line.strip():
                last = None
        elif line.rstrip() == "```":
            if kind == "sh":
                last = Block(title, start, "".join(row + "\n" for row in body))
                blocks.append(last)
            elif kind == "text" and last is not None:
                last.expected, last = body, None
            else:
                raise ValueError(f"line {start}: a {kind or 'nameless'} block that no test reads")
            kind = None
        else:
            body.append(line)
    if kind is not None:
        raise ValueError(f"line {start}: the block has no end")
    return blocks


def examples() -> list[Block]:
    """The scripts of examples/, as blocks."""
    blocks = []
    for script in sorted(EXAMPLES.glob("*.sh")):
        expected = (HERE / f"{script.stem}.txt").read_text().splitlines()
        blocks.append(Block(f"examples/{script.name}", 1, f"sh '{script}'\n", expected))
    return blocks


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the lines are those expected; see the top of this file for `...`."""
    pattern = ""
    for line in expected:
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += r"[^\n]*".join(map(re.escape, line.rstrip().split("..."))) + r"\n"
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in actual)) is not None


class Place:
    """The surroundings of one block: folder, home, state root and PATH."""

    def __init__(self, scratch: Path, bgt: str):
        self.bgt, self.root = bgt, scratch / "root"
        self.folder, self.output = scratch / "work", scratch / "output"
        programs = scratch / "bin"
        for folder in (programs, self.folder, scratch / "home"):
            folder.mkdir()
        (programs / "bgt").symlink_to(bgt)
        (programs / "python3").symlink_to(sys.executable)  # a wrapper may need the real HOME
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BGT_")}
        for key in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "NOTIFY_SOCKET"):
            kept.pop(key, None)
        self.env = kept | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(scratch / "home"),
            "BGT_ROOT": str(self.root),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "NO_COLOR": "1",
        }

    def run(self, script: str, patience: float) -> int | None:
        """The exit code of the script, or nothing if it took too long; self.output is its output."""
        with open(self.output, "wb") as output:
            shell = subprocess.Popen(
                ["sh", "-e", "-c", script],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return shell.wait(patience)
            except subprocess.TimeoutExpired:
                return None
            finally:
                # What the script itself has left in the background; the tasks are not in its group.
                try:
                    os.killpg(shell.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                shell.wait()

    def left(self) -> list[str]:
        """The processes that still have this state root in their environment."""
        found, wanted = [], f"BGT_ROOT={self.root}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found.append(f"{entry.name} {words.decode(errors='replace').strip()}")
            except OSError:  # it has ended, or belongs to somebody else
                continue
        return found

    def clean_up(self) -> str:
        """Ends all tasks of the block. The result says what could not be ended."""
        try:
            kill = subprocess.run(
                [self.bgt, "kill", "--all", "--now"],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return "bgt kill --all --now did not end"
        if kill.returncode != 0:
            text = kill.stdout.decode(errors="replace")
            return f"bgt kill --all --now: code {kill.returncode}\n{text}"
        deadline = time.monotonic() + PATIENCE
        while (left := self.left()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return "left after bgt kill --all: " + ", ".join(left) if left else ""


def problem_of(block: Block, bgt: str, patience: float = PATIENCE) -> str:
    """Runs the block; the result says what is wrong, and is empty if nothing is."""
    with tempfile.TemporaryDirectory(prefix="bgt-cookbook-") as scratch:
        place = Place(Path(scratch), bgt)
        code = place.run(block.script, patience)
        output = place.output.read_text(errors="replace")
        left = place.clean_up()
    if code is None:
        return f"not done after {patience:g} s; it printed:\n{output}"
    if code != 0:
        return f"code {code}; it printed:\n{output}"
    if not matches(block.expected, output.splitlines()):
        wanted = "".join(line + "\n" for line in block.expected)
        return f"it printed:\n{output}but the document says:\n{wanted}"
    return left


def missed_faults(bgt: str) -> list[str]:
    """What the test itself would not notice, of faults that are put into small documents here."""

    def document(script: str, text: str) -> str:
        return f"# A fault\n\n```sh\n{script}\n```\n\n```text\n{text}\n```\n"

    sound = document("bgt run -- true\nbgt run -- true\nbgt wait 1 2", "1\n...")
    faults = {
        "a wrong line": document("bgt run -- true", "2"),
        "a line too few": document("bgt run -- true", "1\n2"),
        "a line too many": document("bgt run -- true\nbgt run -- true", "1"),
        "output that the document does not show": "```sh\nbgt run -- true\n```\n",
        "a command that fails": document("bgt run -- false\nbgt wait 1\necho 2", "1\n2"),
        "a block that does not end": document("bgt run -- sleep 100\nbgt wait 1", "1"),
    }
    missed = []
    if problem := problem_of(blocks_of(sound)[0], bgt):
        missed.append(f"a sound block fails: {problem}")
    for name, text in faults.items():
        patience = 1.0 if name == "a block that does not end" else PATIENCE
        if not problem_of(blocks_of(text)[0], bgt, patience):
            missed.append(f"the test does not notice {name}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--only", help="only the sections whose titles match", default="")
    parser.add_argument("document", nargs="?", type=Path, default=COOKBOOK)
    options = parser.parse_args()
    bgt = os.path.abspath(options.bgt)
    blocks = blocks_of(options.document.read_text())
    if options.document == COOKBOOK:
        blocks += examples()
    blocks = [block for block in blocks if re.search(options.only, block.title)]
    passed = failed = 0
    for problem in missed_faults(bgt) if not options.only else []:
        failed += 1
        print(problem, flush=True)
    for block in blocks:
        began = time.monotonic()
        problem = problem_of(block, bgt)
        if problem:
            failed += 1
            print(f"failed: {block.title} (line {block.line}): {problem}", flush=True)
        else:
            passed += 1
            print(f"{time.monotonic() - began:5.1f} s  {block.title}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
