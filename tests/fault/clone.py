#!/usr/bin/env python3
"""A cloned folder is hostile: its bgt.toml belongs to who cloned it, and yet runs, redirects and removes nothing.

    python3 tests/fault/clone.py --bgt build/release/bgt
"""
from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from lab import (MALLORY, ROOT_PID, ROOT_START, SUPERVISOR_PID, Lab, Ran, Record, check, eventually, is_alive, main, need_root,
                 process)


class Clone(Lab):
    """A lab whose user has cloned a hostile repository: below its folder, with a program `ls` in it."""

    def __init__(self, bgt: str) -> None:
        super().__init__(bgt, os.geteuid())
        self.root = self.home / ".local/state/bgt"
        self.make_folder("work")
        self.clone = self.make_folder("work/clone")
        self.marks = self.make_folder("marks")
        self.program_file("bin/ls", f"touch {self.mark('ls')}")

    def environment(self, extra=None):
        env = super().environment(extra)
        if "BGT_ROOT" not in (extra or {}):
            del env["BGT_ROOT"]  # a variable would take the place of what the clone says
        return env

    def mark(self, name: str) -> Path:
        """A file that only code of the clone makes."""
        return self.marks / name

    def program_file(self, name: str, text: str) -> None:
        path = self.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def toml(self, text: str) -> None:
        (self.clone / "bgt.toml").write_text(text)

    def here(self, *words: str, **how) -> Ran:
        return self.bgt(*words, cwd=how.pop("cwd", self.clone), **how)

    def rule(self, text: str) -> None:
        self.toml(f'[[rule]]\nmatch = "."\n{text}\n')


@dataclass(frozen=True)
class Attack:
    """What a clone may try. `works` says whether it got something from this call of bgt."""
    name: str
    plant: Callable[[Clone], None]
    works: Callable[[Clone], bool]
    ignored: str                # what the line names
    needs_trust: bool = True    # False: it gets nothing even when trusted


def ran_mark(name: str, *words: str, wait: bool = True):
    """Runs `bgt run WORDS`, and looks whether the mark was made."""
    def works(lab: Clone) -> bool:
        lab.mark(name).unlink(missing_ok=True)
        lab.said = lab.here("run", *(["--wait"] if wait else []), *words)
        return lab.mark(name).exists()
    return works


def run_said(text: str, *words: str):
    def works(lab: Clone) -> bool:
        lab.said = lab.here("run", "--wait", *words)
        return text in lab.said.out
    return works


def rule(text: str):
    return lambda lab: lab.rule(text.replace("CLONE", str(lab.clone)).replace("MARKS", str(lab.marks)))


def plant_env_file(lab: Clone) -> None:
    (lab.clone / "env").write_text(f"PATH={lab.clone}/bin:/usr/bin:/bin\n")
    lab.rule('env_file = "env"')


def plant_stdin(lab: Clone) -> None:
    (lab.clone / "answers").write_text("yes, all of it\n")
    lab.rule('stdin = "answers"')


def plant_cwd(lab: Clone) -> None:
    (lab.clone / "deep").mkdir(exist_ok=True)
    lab.rule('cwd = "deep"')


def hang_works(lab: Clone) -> bool:
    lab.mark("hang").unlink(missing_ok=True)
    lab.said = lab.here("run", "--wait", "--", "sleep", "1")
    return lab.mark("hang").exists()


def attempts_work(lab: Clone) -> bool:
    """A command that its user wanted once is executed again."""
    count = lab.folder / "count"
    count.write_text("")
    lab.said = lab.here("run", "--wait", "-c", f"echo >> {count}; exit 1")
    return len(count.read_text()) > 1


def hang_attempts_work(lab: Clone) -> bool:
    count = lab.folder / "count"
    count.write_text("")
    lab.said = lab.here("run", "--timeout", "3s", "--wait", "-c", f"echo >> {count}; sleep 1")
    return len(count.read_text()) > 1


def rm_works(lab: Clone) -> bool:
    ended = lab.here("run", "--wait", "--json", "-c", "exit 3")
    lab.said = ended
    return lab.bgt("show", str(json.loads(ended.out)["tasks"][0]["id"]), cwd="/").code != 0


def replace_works(lab: Clone) -> bool:
    """The user's task of the same name is ended."""
    victim = lab.start("--name", "db", "--", "sleep", "1000", cwd=str(lab.clone))
    pid = lab.show(victim, cwd="/")["pid"]
    lab.said = lab.here("run", "--wait", "--", "true")
    works = not is_alive(pid)
    lab.bgt("kill", "--now", "--all", cwd="/")
    return works


def absent_works(lab: Clone) -> bool:
    """What was asked for is not started, as another task has the name."""
    victim = lab.start("--name", "db", "--", "sleep", "1000", cwd=str(lab.clone))
    lab.said = lab.here("run", "--", "sleep", "1000")
    works = lab.said.out.strip() == victim
    lab.bgt("kill", "--now", "--all", cwd="/")
    return works


def name_works(lab: Clone) -> bool:
    lab.said = lab.here("run", "--", "sleep", "1000")
    works = lab.show(lab.said.out.strip(), cwd="/")["name"] == "db"
    lab.bgt("kill", "--now", "--all", cwd="/")
    return works


def plant_http(lab: Clone) -> None:
    lab.rule(f'ready_http = "http://127.0.0.1:{lab.server.server_port}/planted"')


def http_works(lab: Clone) -> bool:
    lab.requests.clear()
    lab.said = lab.here("run", "--wait", "--", "sleep", "0.5")
    return bool(lab.requests)


def file_works(lab: Clone) -> bool:
    """What is looked at is a place of the clone's choice."""
    lab.said = lab.here("run", "--explain", "--json", "--", "true")
    return '"option":"ready-file"' in lab.said.out.split('"ignored"')[0]


def end_members(lab: Clone) -> None:
    for pid in lab.members():
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), "it is dead")


def plant_root(lab: Clone) -> None:
    """A record in the clone names a living process of the user that is no task, with its start time."""
    end_members(lab)  # who answers for an earlier record
    lab.toml('root = "state"\n')
    lab.mark("adopted").unlink(missing_ok=True)
    if not hasattr(lab, "stranger"):
        lab.stranger = process(lab.background(["setsid", "sleep", "1000"], env={"PATH": os.environ["PATH"]}).pid)
    state = lab.clone / "state"
    shutil.rmtree(state, ignore_errors=True)
    env = {"BGT_ROOT": str(state)}
    made = lab.bgt("run", "--idle-timeout", "100ms", "--on-hang", f"exec:touch {lab.mark('adopted')}", "--", "sleep", "1000",
                   env=env).must(0)
    seen = lab.show(made.out.strip(), env=env)
    for pid in (seen["supervisor"], seen["pid"]):
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), "it is dead")
    record = Record(state / "tasks" / made.out.strip() / "status")
    record.put("<i", ROOT_PID, lab.stranger.pid)
    record.put("<i", SUPERVISOR_PID, seen["supervisor"])
    record.put("<Q", ROOT_START, lab.stranger.start)
    record.write()


def root_works(lab: Clone) -> bool:
    """The state of the clone is used."""
    verbs = [["ps", "-a"], ["show", "1"], ["why", "1"], ["logs", "1"], ["wait", "--timeout", "0", "1"], ["gc"],
             ["ps", "--json"], ["signal", "CONT", "1"], ["kill", "--now", "1"], ["rm", "1"], ["run", "--wait", "--", "true"]]
    before = snapshot_of(lab.clone / "state")
    for verb in verbs:
        lab.said = lab.here(*verb)
        if snapshot_of(lab.clone / "state") != before:
            return True
        check("bgt.toml is not trusted" in lab.said.err or "changed since" in lab.said.err, f"it is not said: {lab.said}")
        check(is_alive(lab.stranger.pid), f"{verb} has ended a process that is no task")
    check(not lab.mark("adopted").exists(), "a command of the clone's record was run")
    return False


def snapshot_of(folder: Path) -> list:
    return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in [folder, *folder.rglob("*")])


def retention_works(lab: Clone) -> bool:
    """The user's history is removed."""
    for _ in range(3):
        lab.bgt("run", "--wait", "--", "true", cwd="/").must(0)
    ids = set(os.listdir(lab.root / "tasks"))
    lab.said = lab.here("run", "--wait", "--", "true").must(0)
    lab.said = lab.here("gc").must(0)
    return not ids <= set(os.listdir(lab.root / "tasks"))


def alert_works(lab: Clone) -> bool:
    """An alert is told at most once: it has to be forgotten where it does not count, or it would not begin again."""
    mark = lab.mark("alert")
    mark.unlink(missing_ok=True)
    lab.said = lab.here("run", "--wait", "--", "false")
    deadline = time.monotonic() + 2
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return mark.exists()


ATTACKS = [
    Attack("env", rule('env = ["PATH=CLONE/bin:/usr/bin:/bin"]'), ran_mark("ls", "--", "ls"), "env"),
    Attack("env, in several rules", lambda lab: lab.toml(
        f'[[rule]]\nmatch = "^ls"\nenv = "PATH={lab.clone}/bin:/usr/bin:/bin"\n[[rule]]\nmatch = "."\nenv = "A=1"\n'),
        ran_mark("ls", "--", "ls"), "env"),
    Attack("env by --shell", rule('env = ["PATH=CLONE/bin:/usr/bin:/bin"]'), ran_mark("ls", "-c", "ls"), "env"),
    Attack("env_file", plant_env_file, ran_mark("ls", "--", "ls"), "env-file"),
    Attack("env-file, with a dash", lambda lab: (plant_env_file(lab), lab.rule('env-file = "env"')),
           ran_mark("ls", "--", "ls"), "env-file"),
    Attack("clear_env", rule("clear_env = true"), run_said("no home", "-c", 'echo ${HOME:-no home}'), "clear-env"),
    Attack("cwd", plant_cwd, run_said("clone/deep", "--", "pwd"), "cwd"),
    Attack("stdin", plant_stdin, run_said("yes, all of it", "--", "cat"), "stdin"),
    Attack("ready_cmd", rule('ready_cmd = "touch MARKS/ready"'), ran_mark("ready", "--", "sleep", "0.5"), "ready-cmd"),
    Attack("ready_http", plant_http, http_works, "ready-http"),
    Attack("ready_file", rule('ready_file = "/net/example.org/x"'), file_works, "ready-file"),
    Attack("on_hang exec", rule('idle_timeout = "100ms"\non_hang = "exec:touch MARKS/hang"'), hang_works, "on-hang"),
    Attack("on_hang restart", rule('idle_timeout = "100ms"\non_hang = "restart"\nbackoff = "1ms"\nmax_restarts = "2/10m"\ngrace="100ms"'),
           hang_attempts_work, "on-hang"),
    Attack("retries", rule('retries = 2\nbackoff = "1ms"'), attempts_work, "retries"),
    Attack("restart", rule('restart = "always"\nbackoff = "1ms"\nmax_restarts = "2/10m"'), attempts_work, "restart"),
    Attack("on_end", rule('on_end = "touch MARKS/end"'), ran_mark("end", "--", "true"), "on-end"),
    Attack("on_fail", rule('on_fail = "touch MARKS/end"'), ran_mark("end", "--", "false"), "on-fail"),
    Attack("on_end of all", lambda lab: lab.toml(f'on_end = "touch {lab.mark("end")}"\n'), ran_mark("end", "--", "true"), "on_end"),
    Attack("on_fail of all", lambda lab: lab.toml(f'on_fail = "touch {lab.mark("end")}"\n'), ran_mark("end", "--", "false"), "on_fail"),
    Attack("alert", lambda lab: lab.toml(f'[[alert]]\nwhen = "failures_in_row >= 1"\nrun = "touch {lab.mark("alert")}"\n'),
           alert_works, "alert"),
    Attack("rm", rule("rm = true"), rm_works, "rm"),
    Attack("replace", rule('name = "db"\nreplace = true'), replace_works, "replace"),
    Attack("if_absent", rule('name = "db"\nif_absent = true'), absent_works, "if-absent"),
    Attack("name", rule('name = "db"'), name_works, "name"),
    Attack("root", plant_root, root_works, "root"),
    Attack("keep_ended", lambda lab: lab.toml("keep_ended = 0\n"), retention_works, "keep_ended", needs_trust=False),
    Attack("keep_age", lambda lab: lab.toml('keep_age = "1ms"\n'), retention_works, "keep_age", needs_trust=False),
]


def told(lab: Clone, attack: Attack) -> None:
    lines = [line for line in lab.said.err.splitlines() if "bgt.toml" in line]
    check(len(lines) == 1 and attack.ignored in lines[0], f"one line says what is ignored: {lab.said}")
    if attack.needs_trust:
        check(f"bgt trust {lab.clone}" in lines[0] or "bgt trust" in lines[0], f"and how to trust it: {lab.said}")


def gets_nothing(lab: Clone, attack: Attack, when: str, telling: bool = True) -> None:
    check(not attack.works(lab), f"{attack.name} works {when}: {lab.said}")
    if telling:
        told(lab, attack)


def one_attack(lab: Clone, attack: Attack) -> None:
    attack.plant(lab)
    toml = lab.clone / "bgt.toml"
    gets_nothing(lab, attack, "before it is trusted")
    lab.here("trust").must(0)
    if not attack.needs_trust:
        gets_nothing(lab, attack, "in a trusted file")
        return
    check(attack.works(lab), f"{attack.name} works once it is trusted: {lab.said}")
    attack.plant(lab)  # what it needs may be used up
    text = toml.read_text()
    toml.write_text(text + "# changed\n")
    gets_nothing(lab, attack, "after a change")
    toml.write_text(text)
    check(attack.works(lab), f"{attack.name} works with the content that was trusted: {lab.said}")
    attack.plant(lab)
    lab.bgt("trust", "--revoke", str(lab.clone), cwd="/").must(0)
    gets_nothing(lab, attack, "after --revoke")


def attack_test(attack: Attack):
    def test(args) -> None:
        with Clone(args.bgt) as lab:
            handler(lab)
            one_attack(lab, attack)
            lab.bgt("kill", "--now", "--all", cwd="/")
            end_members(lab)
    test.__name__ = "attack_by_" + "".join(c if c.isalnum() else "_" for c in attack.name)
    return test


def handler(lab: Clone) -> None:
    """A server that notes what is asked of it."""
    lab.requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lab.requests.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    lab.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=lab.server.serve_forever, daemon=True).start()


def env_attack(lab: Clone) -> Attack:
    attack = ATTACKS[0]
    attack.plant(lab)
    return attack


def trust_does_not_move_with_the_file(args) -> None:
    """A copy, a moved folder, a link in another folder: another path, so another file."""
    with Clone(args.bgt) as lab:
        attack = env_attack(lab)
        lab.here("trust").must(0)
        check(attack.works(lab), "it works where it was trusted")
        trusted = lab.clone / "bgt.toml"
        other = lab.make_folder("work/other")
        for put in (lambda: shutil.copy(trusted, other), lambda: (other / "bgt.toml").symlink_to(trusted),
                    lambda: os.link(trusted, other / "bgt.toml")):
            (other / "bgt.toml").unlink(missing_ok=True)
            put()
            lab.mark("ls").unlink(missing_ok=True)
            ran = lab.here("run", "--wait", "--", "ls", cwd=other)
            check(not lab.mark("ls").exists() and "is not trusted" in ran.err, f"another path is trusted: {ran}")
        shutil.rmtree(other)
        lab.clone.rename(other)
        lab.mark("ls").unlink(missing_ok=True)
        ran = lab.here("run", "--wait", "--", "ls", cwd=other)
        check(not lab.mark("ls").exists() and "is not trusted" in ran.err, f"a moved folder is trusted: {ran}")
        # The folder by another name is the same folder.
        other.rename(lab.clone)
        (lab.folder / "work/link").symlink_to(lab.clone)
        lab.here("run", "--wait", "--", "ls", cwd=lab.folder / "work/link").must(0)
        check(lab.mark("ls").exists(), "the folder that was trusted, reached by a link")


def a_link_in_the_clone_is_judged_by_what_is_read(args) -> None:
    """A bgt.toml that leads to another file: trusted with the content of that, and not after it has changed."""
    with Clone(args.bgt) as lab:
        attack = env_attack(lab)
        hidden = lab.clone / "hidden.toml"
        (lab.clone / "bgt.toml").rename(hidden)
        (lab.clone / "bgt.toml").symlink_to("hidden.toml")
        gets_nothing(lab, attack, "by a link")
        lab.here("trust").must(0)
        check(attack.works(lab), "it works once it is trusted")
        hidden.write_text(hidden.read_text() + "\n")
        gets_nothing(lab, attack, "by a link whose target has changed")


def a_trusted_folder_above_or_below_lends_nothing(args) -> None:
    with Clone(args.bgt) as lab:
        attack = env_attack(lab)
        above = lab.folder / "work/bgt.toml"
        above.write_text((lab.clone / "bgt.toml").read_text())
        lab.bgt("trust", str(above.parent), cwd="/").must(0)
        gets_nothing(lab, attack, "below a folder that is trusted")
        deep = lab.clone / "a/b"
        deep.mkdir(parents=True)
        lab.mark("ls").unlink(missing_ok=True)
        ran = lab.here("run", "--wait", "--", "ls", cwd=deep)
        check(not lab.mark("ls").exists() and "is not trusted" in ran.err, f"it works from a folder below: {ran}")


def the_clone_can_not_say_what_is_trusted(args) -> None:
    """The store is the user's own: neither the clone's state nor folders of another form count."""
    with Clone(args.bgt) as lab:
        attack = env_attack(lab)
        lab.here("trust").must(0)
        store = lab.home / ".local/share/bgt/trusted"
        entry = next(store.iterdir())
        check(store.stat().st_mode & 0o777 == 0o700 and entry.stat().st_mode & 0o777 == 0o600, "the store is private")
        copy = lab.clone / "share/bgt/trusted"
        shutil.copytree(store, copy)
        shutil.rmtree(store)
        for place in ("state", ".local/share/bgt/trusted", "bgt/trusted"):
            shutil.copytree(copy, lab.clone / place)
        gets_nothing(lab, attack, "by a store in the clone")
        for variable in ("share", "./share"):  # a relative folder is none
            lab.mark("ls").unlink(missing_ok=True)
            lab.here("run", "--wait", "--", "ls", env={"XDG_DATA_HOME": variable})
            check(not lab.mark("ls").exists(), f"XDG_DATA_HOME={variable} counts")
        for mode, what in ((0o755, "open to others"), (0o777, "open to others")):
            shutil.copytree(copy, store)
            store.chmod(mode)
            ran = lab.here("run", "--wait", "--", "ls")
            check(not lab.mark("ls").exists() and what in ran.err and ran.err.count("\n") == 1, f"an open store counts: {ran}")
            shutil.rmtree(store)
        store.symlink_to(copy)
        gets_nothing(lab, attack, "by a store that is a link")


def a_damaged_entry_trusts_nothing_and_harms_no_other(args) -> None:
    with Clone(args.bgt) as lab:
        attack = env_attack(lab)
        lab.here("trust").must(0)
        entry = next((lab.home / ".local/share/bgt/trusted").iterdir())
        other = lab.make_folder("work/other")
        (other / "bgt.toml").write_text('[[rule]]\nmatch = "."\nenv = "GOT=yes"\n')
        lab.bgt("trust", str(other), cwd="/").must(0)
        whole = entry.read_bytes()
        for damaged in (b"", whole[:20], whole[:-1], whole + b"\n", b"\0" * len(whole), os.urandom(len(whole))):
            entry.write_bytes(damaged)
            gets_nothing(lab, attack, "by a damaged entry")
            ran = lab.here("run", "--wait", "-c", "echo got=$GOT", cwd=other)
            check(ran.out == "got=yes\n" and ran.err == "", f"another entry is harmed: {ran}")
            lab.bgt("trust", "--list", cwd="/").must(0)
        lab.here("trust").must(0)
        check(attack.works(lab), "it can be trusted again")


def the_bytes_that_are_judged_are_those_that_are_used(args) -> None:
    """A file that changes all the time between a trusted and a hostile content: never is the hostile one in force."""
    with Clone(args.bgt) as lab:
        toml = lab.clone / "bgt.toml"
        good = '[[rule]]\nmatch = "."\nenv = "GOT=good"\n'
        toml.write_text(good)
        lab.here("trust").must(0)
        for name, text in (("good", good), ("evil", good.replace("good", "evil"))):
            (lab.clone / name).write_text(text)
        swap = lab.background(["sh", "-c", f"cd {lab.clone}; while :; do ln -f evil new; mv -f new bgt.toml; "
                                           "ln -f good new2; mv -f new2 bgt.toml; done"])
        seen = set()
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            seen.add(lab.here("run", "--wait", "-c", "echo $GOT", timeout=20).out.strip())
        swap.kill()
        swap.wait()
        check("evil" not in seen, "a hostile content was in force")
        check(seen == {"good", ""}, f"both contents were met: {seen}")


def odd_files_neither_hang_nor_count(args) -> None:
    with Clone(args.bgt) as lab:
        toml = lab.clone / "bgt.toml"
        fifo = lab.folder / "fifo"
        os.mkfifo(fifo)

        def deep() -> None:
            toml.write_text("x = " + "[" * 100_000)

        def long_key() -> None:
            toml.write_text(".".join(["a"] * 200_000) + " = 1")

        def large() -> None:
            with open(toml, "wb") as file:
                file.truncate(1 << 40)

        for put in (lambda: os.mkfifo(toml), lambda: toml.symlink_to(fifo), lambda: toml.symlink_to("/dev/zero"),
                    lambda: toml.symlink_to("/dev/tty"), lambda: toml.symlink_to("bgt.toml"), lambda: toml.mkdir(), large, deep, long_key,
                    lambda: toml.write_bytes(b"\0" * 4096)):
            put()
            for verb in (["run", "--wait", "--", "true"], ["ps"], ["trust"], ["config"]):
                ran = lab.here(*verb, timeout=10).must(0, 125)
                most = 2 if verb == ["trust"] else 1  # why it is not read, and that there is nothing to trust
                check(ran.err.count("\n") <= most and "\x1b" not in ran.err, f"more than a line: {ran}")
            if toml.is_dir() and not toml.is_symlink():
                toml.rmdir()
            else:
                toml.unlink()


def a_file_that_others_can_replace_is_not_read(args) -> None:
    """The file is the user's own, the folder is not, or is open: who put the file there, or swaps it, is not known."""
    need_root()
    with Clone(args.bgt) as lab:
        for owner, mode in ((MALLORY, 0o755), (0, 0o777), (0, 0o1777)):
            folder = lab.make_folder("of-others", mode, owner)
            toml = folder / "bgt.toml"
            toml.write_text(f'grace = "7s"\n[[rule]]\nmatch = "."\nenv = "PATH={lab.clone}/bin:/usr/bin:/bin"\n')
            toml.chmod(0o644)
            lab.here("trust", str(folder), cwd="/").must(125)
            for verb in (["run", "--wait", "-c", "ls >/dev/null; echo $BGT_GRACE"], ["config", "grace"], ["ps"]):
                ran = lab.here(*verb, cwd=folder).must(0)
                check(ran.err.count("\n") == 1 and f"{toml} is not read: {folder}, which is on its way, " in ran.err, f"it is said: {ran}")
                check("7s" not in ran.out and not lab.mark("ls").exists(), f"it is in force: {ran}")
            shutil.rmtree(folder)


def rules_that_are_dear_to_compile_are_refused_at_once(args) -> None:
    with Clone(args.bgt) as lab:
        dear = "(a{1,100}){1,9}x"
        many = "".join(f'[[rule]]\nmatch = "{dear}"\n' for _ in range(25_000))
        plain = "[[rule]]\nmatch = 'a'\n" * 1_001
        logs = f"[[rule]]\nmatch = 'sleep'\nready_log = [{', '.join([repr(dear)] * 20_000)}]\n"
        classes = "[[rule]]\nmatch = '(?i)\\pL{99}'\n" * 1_000
        for text, said in ((many, "1000 rules"), (plain, "1000 rules"), (logs, "16 KiB"), (classes, "50000 instructions")):
            lab.toml(text)
            for verb in (["run", "--wait", "--", "true"], ["config"], ["trust"], ["gc"]):
                ran = lab.here(*verb, timeout=20)
                check(ran.took < 5, f"it takes long: {ran}")
                check(verb[0] in ("config", "gc") or ran.code == 125 and said in ran.err, f"it is said: {ran.err[:300]}")
        lab.toml("[[rule]]\nmatch = 'a'\n" * 1_000)
        lab.here("run", "--wait", "--", "true").must(0)


def control_characters_reach_no_terminal(args) -> None:
    with Clone(args.bgt) as lab:
        folder = lab.folder / "work" / "x\x1b]0;PWN\x07\n\u202e y"
        folder.mkdir()
        (folder / "bgt.toml").write_text(
            'root = "f\\u001b]0;PWN\\u0007\\u202e"\n[[rule]]\nmatch = "\\u001b.|true"\nenv = "A=\\u001b]0;PWN\\u0007"\n')
        for verb in (["run", "--wait", "--", "true"], ["ps"], ["run", "--explain", "--", "true"], ["trust"], ["trust", "--list"],
                     ["trust", "--revoke"]):
            ran = lab.here(*verb, cwd=folder).must(0)
            for text in (ran.out, ran.err):
                check(not set("\x1b\x07\u202e") & set(text), f"it reaches the terminal: {ran}")
            check(ran.err.count("\n") <= 1, f"more than a line: {ran}")


def what_describes_counts_at_once(args) -> None:
    with Clone(args.bgt) as lab:
        lab.toml('grace = "3s"\n[[rule]]\nmatch = "."\ntimeout = "300ms"\nready_log = "up"\ntag = "a=b"\n')
        ran = lab.here("run", "--wait", "-c", "echo $BGT_GRACE; sleep 1000")
        check(ran.code == 123 and ran.out == "3s\n" and ran.err.count("not trusted") == 0, f"limits count: {ran}")
        check(not (lab.home / ".local/share/bgt").exists(), "nothing was looked up or made")


if __name__ == "__main__":
    sys.exit(main([
        *[attack_test(attack) for attack in ATTACKS],
        trust_does_not_move_with_the_file,
        a_link_in_the_clone_is_judged_by_what_is_read,
        a_trusted_folder_above_or_below_lends_nothing,
        the_clone_can_not_say_what_is_trusted,
        a_damaged_entry_trusts_nothing_and_harms_no_other,
        the_bytes_that_are_judged_are_those_that_are_used,
        odd_files_neither_hang_nor_count,
        a_file_that_others_can_replace_is_not_read,
        rules_that_are_dear_to_compile_are_refused_at_once,
        control_characters_reach_no_terminal,
        what_describes_counts_at_once,
    ], __doc__.splitlines()[0]))
