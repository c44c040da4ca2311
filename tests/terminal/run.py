#!/usr/bin/env python3
"""Puts hostile text into paths, settings, variables, arguments and output, and looks at what bgt
writes to a terminal: no control character but the newlines and colours of bgt itself, and nothing
that hides or rearranges text.

usage: run.py --bgt PROGRAM
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
from pathlib import Path

PATIENCE = 20.0
EVIL = "f\x1b]0;PWN\x07\x1b[2J\r\u009b31m\u202eevil\u200b\u2066"
ALLOWED = re.compile(r"\x1b\[[0-9;]*m|\r\n|\n|\t")


class Lab:
    def __init__(self, folder: Path, bgt: str):
        self.folder, self.bgt = folder, os.path.abspath(bgt)
        self.home = folder / "home"
        self.home.mkdir()
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "BGT_ROOT": str(folder / "root"),
        }

    def terminal(self, *words: str, cwd=None, **variables) -> str:
        """What the program writes to a terminal that is all of its standard streams."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(cwd or self.folder)
            os.execve(self.bgt, ["bgt", *words], self.env | variables)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
        out, deadline = b"", time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                out += os.read(terminal, 65536)
            except OSError:  # nobody has it open any more
                break
        os.waitpid(pid, 0)
        os.close(terminal)
        return out.decode("utf-8", "strict")

    def pipe(self, *words: str, **variables) -> str:
        done = subprocess.run(
            [self.bgt, *words],
            env=self.env | variables,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
        )
        return done.stdout.decode("utf-8", "surrogateescape")


def unsafe(text: str) -> str:
    wrong = sorted(
        {
            repr(c)
            for c in ALLOWED.sub("", text)
            if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")
        }
    )
    return f"a terminal is given {', '.join(wrong)}: {text[:300]!r}" if wrong else ""


def clean(name: str, expected: str = "evil"):
    """A check of what is printed. `expected` must be in it, so that silence does not pass."""

    def look(text: str) -> str:
        return unsafe(text) or (
            "" if expected in text else f"{expected!r} is not in {text[:300]!r}"
        )

    return name, look


def messages(lab: Lab):
    root = str(lab.folder / EVIL)
    Path(root).mkdir()
    os.chmod(root, 0o777)  # refused, with its path
    for words in (
        ["ps"],
        ["run", "true"],
        ["logs", "1"],
        ["gc"],
        ["kill", "1"],
        ["show", "1"],
        ["ps", "--json"],
        ["config"],
        ["config", "root"],
        ["config", "--json"],
    ):
        yield clean(f"--root: {words}"), (
            lab.terminal(*words, "--root", root)
            if words[0] != "run"
            else lab.terminal("run", "--root", root, "true")
        )
        yield clean(f"BGT_ROOT: {words}"), lab.terminal(*words, BGT_ROOT=root)
        yield clean(f"a relative root: {words}"), lab.terminal(*words, BGT_ROOT=EVIL)
    for words in (
        [EVIL],
        ["--" + EVIL],
        ["ps", "--" + EVIL],
        ["ps", "--state", EVIL],
        ["show", EVIL],
        ["show", "--name", EVIL],
        ["logs", "--lines", EVIL, "1"],
        ["logs", "--since", EVIL, "1"],
        ["logs", "--grep", "(" + EVIL, "1"],
        ["wait", "--for", EVIL, "1"],
        ["wait", "--for", "http:" + EVIL, "1"],
        ["wait", "--timeout", EVIL, "1"],
        ["run", "--name", EVIL, "true"],
        ["run", "--tag", EVIL, "true"],
        ["run", "--env", EVIL, "true"],
        ["run", "--env-file", EVIL, "true"],
        ["run", "--cwd", EVIL, "true"],
        ["run", "--stdin", "file-" + EVIL, "true"],
        ["run", "--timeout", EVIL, "true"],
        ["run", "--limit", EVIL, "true"],
        ["run", "--stop-signals", EVIL, "true"],
        ["run", "--on-hang", EVIL, "true"],
        ["run", "--log-max", EVIL, "true"],
        ["run", "--owner", EVIL, "true"],
        ["run", "./" + EVIL],
        ["signal", EVIL, "1"],
        ["config", EVIL],
        ["help", EVIL],
        ["gc", "--older", EVIL],
        ["notify", "--progress", EVIL],
        ["send", EVIL, "x"],
        ["completion", EVIL],
        ["ps", "--format", "{" + EVIL + "}"],
        ["run", "--restart", EVIL, "true"],
        ["run", "--backoff", EVIL, "true"],
        ["run", "--ready-port", EVIL, "true"],
    ):
        name, look = clean(f"an argument: {words}", "")
        yield (name, look), lab.terminal(*words)
    for name in (
        "GRACE",
        "TIMEOUT",
        "LEFTOVER",
        "STOP_SIGNALS",
        "LOG_MAX",
        "KEEP_AGE",
        "KEEP_ENDED",
    ):
        yield clean(f"BGT_{name}", ""), lab.terminal("ps", **{f"BGT_{name}": EVIL})
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        variables = {name: "/nonexistent/" + EVIL, "BGT_ROOT": ""}
        yield clean(f"{name}", ""), lab.terminal("run", "true", **variables)
        yield clean(f"{name}: config", ""), lab.terminal("config", **variables)


def settings(lab: Lab):
    quoted = json.dumps(EVIL)  # a basic string of TOML too
    for text in (
        f"root = {quoted}",
        f"grace = {quoted}",
        f"{quoted} = 1",
        f"stop_signals = {quoted}",
        f"leftover = {quoted}",
        f"[[rule]]\nmatch = {quoted}\ntimeout = {quoted}",
        f"[[rule]]\nmatch = 'true'\n{quoted} = 1",
        f"[[rule]]\nmatch = {json.dumps('(' + EVIL)}",
        f"[{quoted}]\na = 1",
        f"root = {EVIL!s}",
        f"# {EVIL}",
        f'root = "{EVIL}"',
    ):
        folder = lab.folder / f"clone-{EVIL}"
        folder.mkdir(exist_ok=True)
        (folder / "bgt.toml").write_text(text)
        for words in (
            ["config"],
            ["config", "root"],
            ["config", "--json"],
            ["ps"],
            ["run", "--explain", "true"],
        ):
            yield clean(f"bgt.toml {text!r}: {words}", ""), lab.terminal(
                *words, cwd=folder, BGT_ROOT=""
            )


def tasks(lab: Lab):
    start = ["run", "--tag", f"{EVIL}={EVIL}"]
    folder = lab.folder / ("cwd-" + EVIL)
    folder.mkdir()
    yield clean("run", ""), lab.terminal(
        *start, "--cwd", str(folder), "--name", "one", "--", "printf", EVIL + "\\n" + EVIL
    )
    yield clean("run: no hang", ""), lab.terminal(
        *start, "--name", "two", "--", "sh", "-c", f"echo {EVIL}; exit 3"
    )
    lab.pipe("wait", "one", "two")
    for words in (
        ["ps", "-a"],
        ["show", "one"],
        ["why", "one"],
        ["ps", "-a", "--json"],
        ["show", "--json", "one"],
        ["logs", "--json", "one"],
        ["logs", "one", "two"],
        ["logs", "--timestamps", "one"],
        ["logs", "-f", "one", "two"],
        ["wait", "--for", "log:" + EVIL, "one"],
        ["ps", "-a", "--tag", f"{EVIL}={EVIL}"],
        ["completion", "tag-list"],
        ["ps", "-a", "--format", "{command} {tag." + EVIL + "} {cwd} {log}"],
        ["retry", "one"],
        ["rm", "two"],
    ):
        text = lab.terminal(*words)
        # The output of a task may hold what is invisible: emoji need it, and it touches no prefix.
        yield clean(f"a task: {words}", ""), (
            text.replace("\u200b", "") if words[0] == "logs" else text
        )
    lab.pipe("wait", "--all")


def values_stay(lab: Lab):
    """What is escaped is for the eye: a script gets the value."""

    def same(expected: str):
        return lambda text: "" if text == expected else f"{text!r} is not {expected!r}"

    yield ("config root of a pipe", same(f"/{EVIL}\n")), lab.pipe(
        "config", "root", BGT_ROOT=f"/{EVIL}"
    )
    text = lab.terminal("config", "root", "--json", BGT_ROOT=f"/{EVIL}")
    yield ("config --json", same(f"/{EVIL}")), json.loads(text)["settings"][0]["value"]
    tags = json.loads(lab.terminal("show", "--json", "one"))["tasks"][0]["tags"]
    yield ("tags in JSON", same(EVIL)), tags.get(EVIL, "nothing")


def prefixes(lab: Lab):
    """`logs A B`: a line of one task must not look as if it were of the other, so each line on the
    screen begins with the prefix of its task."""
    forged = [
        "\\rlate | forged",
        "x\\033[1Glate | forged",
        "x\\033[2K\\033[99Dlate | forged",
        "x\\b\\b\\b\\b\\b\\b\\b\\b\\b\\blate | forged",
        "\\033[Alate | forged",
        "\\0337\\0338late | forged",
    ]
    lab.pipe("run", "--name", "early", "--", "printf", "\\n".join(forged) + "\\n")
    lab.pipe("run", "--name", "late", "--", "true")
    lab.pipe("wait", "early", "late")
    for follow in ([], ["-f"]):

        def look(text: str) -> str:
            lines = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\r\n")[:-1]
            wrong = [line for line in lines if not line.startswith("early | ")]
            return unsafe(text) or (f"{wrong!r}" if wrong or len(lines) != len(forged) else "")

        yield (f"logs {follow} early late", look), lab.terminal("logs", *follow, "early", "late")


def processes(lab: Lab):
    """The name that a process gave itself, in the line that is written over while it is ended."""
    stubborn = (
        "import ctypes, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        r"ctypes.CDLL(None).prctl(15, b'evil\x1b[2J\x1b]0;'); print('up', flush=True); time.sleep(600)"
    )
    lab.pipe("run", "--name", "stubborn", "--", sys.executable, "-c", stubborn)
    lab.pipe("wait", "--for", "log:up", "stubborn")
    text = lab.terminal("kill", "--grace", "3s", "stubborn")
    yield clean("kill: a name of a process"), text.replace("\r\x1b[K", "")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    passed = failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lab = Lab(Path(folder), parser.parse_args().bgt)
        for group in (messages, settings, tasks, values_stay, prefixes, processes):
            for (name, look), text in group(lab):
                wrong = look(text)
                passed, failed = passed + (not wrong), failed + bool(wrong)
                if wrong:
                    print(f"failed: {name!r}: {wrong}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
