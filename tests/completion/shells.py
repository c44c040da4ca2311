"""Real shells on a pseudo-terminal, with the completion of bgt loaded. What they run as `bgt`
records its words."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

PATIENCE = 20.0  # seconds; on a loaded machine a shell takes its time to start

RECORDER = """#!/bin/sh
for word; do [ "$word" = completion ] && exec '{bgt}' "$@"; done
for word; do printf '%s\\0' "$word"; done > '{folder}/ran.new'
mv '{folder}/ran.new' '{folder}/ran'
"""
BASH_RC = """PS1='> '
. '{script}'
"""
INPUTRC = """set completion-query-items 0
set page-completions off
set bell-style none
set enable-bracketed-paste off
"""
ZSH_RC = """PROMPT='> '
LISTMAX=9999
setopt no_beep bang_hist
autoload -Uz compinit
compinit -u -D
. '{script}'
"""
FISH_RC = """function fish_prompt; echo -n '> '; end
set fish_greeting
source '{script}'
"""
SHELLS = {"bash": BASH_RC, "zsh": ZSH_RC, "fish": FISH_RC}


class NoAnswer(Exception):
    """The shell did not do in time what was waited for; the next line starts another one."""


class Lab:
    """A state root, a working folder in which a canary shows, and programs that PATH names first."""

    def __init__(self, folder: Path, bgt: str):
        self.folder, self.bgt = folder, os.path.abspath(bgt)
        self.cwd, self.bin, self.root, self.home = (
            folder / name for name in ("cwd", "bin", "root", "home")
        )
        for made in (self.cwd, self.bin, self.home):
            made.mkdir()
        recorder = self.bin / "bgt"
        recorder.write_text(RECORDER.format(bgt=self.bgt, folder=folder))
        recorder.chmod(0o755)
        self.env = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.home),
            "BGT_ROOT": str(self.root),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "INPUTRC": str(folder / "inputrc"),
        }
        (folder / "inputrc").write_text(INPUTRC)

    def run(self, *words) -> bytes:
        done = subprocess.run(
            [self.bgt, *words],
            env=self.env,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            check=True,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
        )
        return done.stdout

    def start(self, *words) -> str:
        """The id of a task that has ended."""
        task = self.run("run", *words).decode().strip()
        self.run("wait", task)
        return task

    def canaries(self) -> list[str]:
        return sorted(str(found.relative_to(self.folder)) for found in self.folder.rglob("pwn*"))


def commands(lab: Lab) -> dict[str, list[str]]:
    """The shells of this machine, each as the words that start it."""
    out = {}
    for shell, text in SHELLS.items():
        program = shutil.which(shell)
        if program is None:
            continue
        script, rc = lab.folder / f"script.{shell}", lab.folder / f"rc.{shell}"
        script.write_bytes(lab.run("completion", shell))
        rc.write_text(text.format(script=script))
        if shell == "zsh":
            (lab.home / ".zshrc").write_text(rc.read_text())
        out[shell] = {
            "bash": [program, "--noprofile", "--rcfile", str(rc), "-i"],
            "zsh": [program, "-d", "-i"],
            "fish": [program, "--no-config", "--private", "-i", "-C", f"source '{rc}'"],
        }[shell]
    return out


class Shell:
    def __init__(self, lab: Lab, command: list[str]):
        self.lab, self.command, self.seen, self.pid = lab, command, b"", 0

    def __enter__(self) -> Shell:
        self.start()
        return self

    def __exit__(self, *unused) -> None:
        self.end()

    def start(self) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.lab.cwd)
            os.execve(self.command[0], self.command, self.lab.env)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.until(self.reads_keys, "the prompt")

    def end(self) -> None:
        if self.pid == 0:
            return
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
        self.pid = 0

    def drain(self, seconds: float) -> None:
        if select.select([self.terminal], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.terminal, 65536)
            except OSError:  # the shell ended
                self.give_up("the shell ended")

    def give_up(self, why: str) -> None:
        self.end()
        raise NoAnswer(f"{why}; the screen: {self.seen[-300:]!r}")

    def until(self, condition, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                self.give_up(f"waited in vain for {what}")
            self.drain(0.005)

    def reads_keys(self) -> bool:
        """The prompt has come, and the line is the shell's to edit."""
        return b"> " in self.seen and not termios.tcgetattr(self.terminal)[3] & termios.ICANON

    def type(self, keys: bytes) -> None:
        while keys:
            self.drain(0)
            keys = keys[os.write(self.terminal, keys[:512]) :]

    def words_of(self, keys: bytes) -> list[bytes]:
        """Types a line of `bgt`, its end included, and tells the words that bgt was given."""
        ran = self.lab.folder / "ran"
        ran.unlink(missing_ok=True)
        if self.pid == 0:
            self.start()
        self.seen = b""
        self.type(keys)
        self.until(ran.exists, f"the end of {keys!r}")
        words = ran.read_bytes().split(b"\0")[:-1]
        self.until(self.reads_keys, "the next prompt")
        return words
