#!/usr/bin/env python3
"""Two users on one machine: what one of them has started is nothing the other can read, reach, plant or end.

    sudo python3 tests/fault/users.py --bgt build/release/bgt
"""
from __future__ import annotations

import array
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path

import users_planted
from lab import (ALICE, MALLORY, ROOT_PID, ROOT_START, SUPERVISOR_PID, SUPERVISOR_START, VERBS, Lab, Record, alice,
                 as_user, check, eventually, is_alive, main, need_programs, need_root, process, snapshot)

def everything_is_started(lab: Lab, **how) -> None:
    """Tasks that together make every kind of file that bgt makes."""
    lab.start("--name", "web", "--split", "--stdin", "pipe", "--env", "TOKEN=hunter2", "-c",
              "echo private; echo private >&2; sleep 1000", **how)
    lab.start("--env", "TOKEN=hunter2", "-c", "echo ended", **how)
    lab.bgt("wait", "2", **how).must(0)
    lab.bgt("why", "1", **how).must(0)


def check_private(lab: Lab, folder: Path) -> None:
    kinds = set()
    for path in [folder, *folder.rglob("*")]:
        info = path.lstat()
        kinds.add(stat.S_IFMT(info.st_mode))
        check(info.st_uid == ALICE, f"{path} belongs to {info.st_uid}")
        if stat.S_ISLNK(info.st_mode):  # whose mode means nothing; what it says is read with readlink
            seen = as_user(MALLORY, lambda: os.readlink(path))
            check(seen.startswith("PermissionError"), f"reading the link {path} as another user: {seen}")
            continue
        check(info.st_mode & 0o077 == 0, f"{path} is {stat.filemode(info.st_mode)}")
        check(info.st_mode & 0o7000 == 0, f"{path} is {stat.filemode(info.st_mode)}")
        check(info.st_mode & 0o600 == 0o600, f"its owner can't use {path}: {stat.filemode(info.st_mode)}")
        flags = os.O_RDONLY | os.O_NONBLOCK
        seen = as_user(MALLORY, lambda: os.open(path, flags))
        check(seen.startswith("PermissionError"), f"opening {path} as another user: {seen}")
    check({stat.S_IFDIR, stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK} <= kinds,
          f"not every kind of file was made: {kinds}")


def files_are_private_whatever_the_umask(args) -> None:
    for umask in (0o000, 0o022, 0o777):
        with alice(args) as lab:
            how = {"umask": umask}
            everything_is_started(lab, **how)
            check_private(lab, lab.root)
            # The umask is the command's own all the same.
            lab.start("--wait", "-c", "umask", **how)
            said = int(lab.bgt("logs", "3").must(0).out, 8)
            check(said == umask, f"the command has umask {said:o}, not {umask:o}")
            lab.bgt("kill", "1").must(0)


def files_are_private_when_a_caller_with_any_umask_takes_over(args) -> None:
    for umask in (0o000, 0o777):
        with alice(args) as lab:
            everything_is_started(lab)
            lab.kill_supervisor("1")
            task = lab.show("1", umask=umask)
            check(task["adopted"], "another supervisor has taken over")
            lab.bgt("why", "1", umask=umask).must(0)
            check_private(lab, lab.root)
            lab.bgt("kill", "1", umask=umask).must(0)


def files_are_private_in_a_root_that_others_may_read(args) -> None:
    with alice(args) as lab:
        lab.home.chmod(0o755)
        lab.root = lab.make_folder("home/open", 0o755)
        everything_is_started(lab, umask=0)
        for path in lab.root.iterdir():
            seen = as_user(MALLORY, lambda: os.listdir(path) if path.is_dir() else path.read_bytes())
            check(seen.startswith("PermissionError"), f"reading {path} as another user: {seen}")
        lab.bgt("kill", "1").must(0)


def environment_and_arguments_of_the_supervisor_are_private(args) -> None:
    with alice(args) as lab:
        lab.start("--env", "TOKEN=hunter2", "--", "sleep", "1000")
        pid = lab.show("1")["supervisor"]
        for source in ("environ", "cmdline"):
            seen = as_user(MALLORY, lambda: Path(f"/proc/{pid}/{source}").read_bytes())
            check("hunter2" not in seen, f"/proc/{pid}/{source} of the supervisor shows others: {seen}")
        check(b"bgt:1" in Path(f"/proc/{pid}/cmdline").read_bytes(), "the supervisor's title names its task")
        lab.bgt("kill", "1").must(0)


def the_root_of_another_user_is_refused(args) -> None:
    with alice(args) as lab:
        everything_is_started(lab)
        lab.home.chmod(0o755)
        before = snapshot(lab.root)
        for uid in (MALLORY, 0):
            for words in VERBS:
                lab.bgt(*words, uid=uid).refused()
                lab.bgt("--root", str(lab.root), *words, uid=uid, env={"BGT_ROOT": None}).refused()
            lab.bgt("send", "1", "text", uid=uid).refused()
        # The same where the way in is open to everybody.
        lab.root.chmod(0o755)
        for words in VERBS:
            lab.bgt(*words, uid=MALLORY).refused("belongs to user 61001")
        lab.root.chmod(0o700)
        check(snapshot(lab.root) == before, "refused, and yet something has changed")
        check(lab.show("1")["lifecycle"] == "running", "the task goes on")
        lab.bgt("kill", "1").must(0)


def datagrams(address: str | bytes, times: int = 1) -> str:
    """Everything that has an effect when its owner says it, from whoever runs this."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        sender.bind("")
        sent = 0
        for _ in range(times):
            for op in ("stop", "restart", "pause", "stdin-eof"):
                request = f'{{"schema":1,"op":"{op}","now":true,"reason":2,"signal":9}}'
                sent += send_one(sender, address, request.encode())
            sent += send_one(sender, address, b'{"schema":1,"op":"signal","signal":9,"whole_tree":true}')
            sent += send_one(sender, address, b"READY=1\nSTATUS=planted\nWATCHDOG=trigger\nEXTEND_TIMEOUT_USEC=1")
        return f"sent {sent}"


def send_one(sender: socket.socket, address: str | bytes, text: bytes) -> int:
    """With descriptors, which must not pile up at the other end. A full queue is waited for."""
    with open("/dev/null") as null:
        handed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()] * 3))]
        deadline = time.monotonic() + 5
        while True:
            try:
                sender.sendmsg([text], handed, 0, address)
                return 1
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return 0
                time.sleep(0.001)


def check_unmoved(lab: Lab, pid: int) -> None:
    task = lab.show("1")
    check(task["lifecycle"] == "running" and task["pid"] == pid and task["attempt"] == 1,
          f"the task was touched: {task}")
    check(not task["ready"] and not task["paused"] and task["progress"]["text"] is None,
          f"the task was touched: {task}")
    check(len(os.listdir(f"/proc/{task['supervisor']}/fd")) < 30, "descriptors of others pile up in the supervisor")


def the_socket_hears_no_other_user(args) -> None:
    with alice(args) as lab:
        lab.start("--stdin", "pipe", "--ready-notify", "-c", "cat; sleep 1000")
        pid = lab.show("1")["pid"]
        address = str(lab.task("1") / "ctl.sock")
        seen = as_user(MALLORY, lambda: datagrams(address))
        check(seen.startswith("PermissionError"), f"the socket can be reached: {seen}")
        # Even where its owner has opened the way.
        for folder in (lab.home, lab.root, lab.root / "tasks", lab.task("1")):
            folder.chmod(0o711)
        os.chmod(address, 0o777)
        for _ in range(20):
            check(as_user(MALLORY, lambda: datagrams(address, 10)) == "sent 60", "the messages arrive")
            check_unmoved(lab, pid)
        lab.root.chmod(0o700)
        lab.bgt("kill", "1").must(0)


def make_deep_root(lab: Lab) -> Path:
    """A folder whose path is too long for a socket."""
    deep = lab.home
    for _ in range(4):
        deep /= "f" * 30
    deep.mkdir(parents=True)
    for folder in deep.relative_to(lab.home).parents:
        os.chown(lab.home / folder, ALICE, ALICE)
    os.chown(deep, ALICE, ALICE)
    return deep


def an_abstract_socket_hears_no_other_user(args) -> None:
    with alice(args) as lab:
        lab.root = make_deep_root(lab) / "root"
        lab.start("--stdin", "pipe", "--ready-notify", "-c", "echo $NOTIFY_SOCKET; cat; sleep 1000")
        eventually(lambda: lab.bgt("logs", "1").out.startswith("@bgt-"), "the task has an abstract socket")
        pid = lab.show("1")["pid"]
        address = b"\0" + lab.bgt("logs", "1").out.strip()[1:].encode()
        for _ in range(20):
            check(as_user(MALLORY, lambda: datagrams(address, 10)) == "sent 60", "the messages arrive")
            check_unmoved(lab, pid)
        lab.bgt("kill", "1").must(0)


def cpu_of(pid: int) -> float:
    """Seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def flood_from_another_user(address: str | bytes) -> int:
    """The pid of a process that sends without a pause."""
    pid = os.fork()
    if pid > 0:
        return pid
    try:
        os.setgroups([])
        os.setgid(MALLORY)
        os.setuid(MALLORY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            while True:
                sender.sendto(b"STATUS=planted", address)
    finally:
        os._exit(0)


def a_flood_on_the_abstract_socket_costs_next_to_nothing(args) -> None:
    with alice(args) as lab:
        lab.root = make_deep_root(lab) / "root"
        lab.start("--ready-notify", "-c", "echo $NOTIFY_SOCKET; sleep 1; exec " + str(lab.program) + " notify --ready & sleep 1000")
        eventually(lambda: lab.bgt("logs", "1").out.startswith("@bgt-"), "the task has an abstract socket")
        supervisor = lab.show("1")["supervisor"]
        floods = [flood_from_another_user(b"\0" + lab.bgt("logs", "1").out.strip()[1:].encode()) for _ in range(2)]
        try:
            before, began = cpu_of(supervisor), time.monotonic()
            time.sleep(3)  # what is measured takes its time
            share = (cpu_of(supervisor) - before) / (time.monotonic() - began)
            print(f"   a flood costs the supervisor {100 * share:.1f} % of a core")
            check(share < 0.2, f"a flood costs {100 * share:.0f} % of a core")
            eventually(lambda: lab.show("1")["ready"], "the task's own message comes through")
            took = lab.bgt("kill", "1").must(0).took
            check(took < 10, f"kill took {took:.1f} s")
        finally:
            for pid in floods:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def a_flood_from_another_user_keeps_nobody_waiting(args) -> None:
    with alice(args) as lab:
        lab.start("--ready-notify", "-c", "while sleep 0.1; do echo line; done")
        address = str(lab.task("1") / "ctl.sock")
        for folder in (lab.home, lab.root, lab.root / "tasks", lab.task("1")):
            folder.chmod(0o711)
        os.chmod(address, 0o777)
        floods = [os.fork() for _ in range(2)]
        if 0 in floods:
            os.setgroups([])
            os.setgid(MALLORY)
            os.setuid(MALLORY)
            try:
                datagrams(address, 1_000_000)
            finally:
                os._exit(0)
        try:
            for _ in range(5):
                check(lab.bgt("show", "1").must(0).took < 5, "show is held up")
            took = lab.bgt("signal", "CONT", "1").must(0).took
            check(took < 5, f"a request took {took:.1f} s")
            took = lab.bgt("kill", "1").must(0).took
            check(took < 10, f"kill took {took:.1f} s")
        finally:
            for pid in floods:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def strangers_named_by_a_record_get_no_signal(args) -> None:
    """The record of a dead task names a process of the same user, in four ways that aren't true."""
    with alice(args) as lab:
        stranger = process(lab.background(["setsid", "sleep", "1000"]).pid)
        check(stranger, "the stranger lives")
        # What starts within the same tick can't be told from it by its start.
        ticks = os.sysconf("SC_CLK_TCK")
        eventually(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) * ticks > stranger.start + 2, "the clock ticks")
        for task in ("1", "2", "3", "4"):
            lab.start("--", "sleep", "1000")
            seen = lab.show(task)
            os.kill(seen["supervisor"], signal.SIGKILL)
            os.kill(seen["pid"], signal.SIGKILL)
            eventually(lambda: not is_alive(seen["supervisor"]) and not is_alive(seen["pid"]), "both are dead")
            record = Record(lab.task(task) / "status")
            record.put("<i", ROOT_PID, stranger.pid)
            record.put("<i", SUPERVISOR_PID, stranger.pid)
            if task == "1":  # the pid was given to another process since
                pass
            elif task == "2":  # and the clock of the machine began anew
                record.put("<Q", ROOT_START, stranger.start)
                record.put("<Q", SUPERVISOR_START, stranger.start)
                record.put_boot(bytes(16))
            elif task == "3":  # nobody knows when it was started
                record.put("<Q", ROOT_START, 0)
            elif task == "4":  # and the supervisor is not what says so
                record.put("<Q", SUPERVISOR_START, stranger.start)
            record.write()
        check(Record(lab.task("1") / "status").get("<i", ROOT_PID) == stranger.pid, "the record was changed")
        for verb in (["signal", "KILL", "1", "2", "3", "4"], ["pause", "1"], ["kill", "--now", "1", "2", "3", "4"],
                     ["kill", "--all"], ["rm", "1"], ["ps", "-a"]):
            lab.bgt(*verb)
            check(is_alive(stranger.pid) and process(stranger.pid).state not in "TtZ", f"the stranger was hit by {verb}")
        for task in ("2", "3", "4"):
            check(lab.show(task)["outcome"]["kind"] == "lost", f"task {task} is lost")


def a_folder_made_up_by_another_user_ends_nobody(args) -> None:
    """Mallory makes a record of her own that names Alice's process exactly; her bgt can do no harm, and ends."""
    with alice(args) as lab:
        victim = process(lab.background(["setsid", "sleep", "1000"], uid=ALICE).pid)
        theirs = Lab(args.bgt, MALLORY)
        with theirs:
            theirs.start("--", "true")
            theirs.bgt("wait", "1").must(0)
            theirs.start("--", "sleep", "1000")
            seen = theirs.show("2")
            os.kill(seen["supervisor"], signal.SIGKILL)
            os.kill(seen["pid"], signal.SIGKILL)
            eventually(lambda: not is_alive(seen["supervisor"]) and not is_alive(seen["pid"]), "both are dead")
            record = Record(theirs.task("2") / "status")
            record.put("<i", ROOT_PID, victim.pid)
            record.put("<Q", ROOT_START, victim.start)
            record.write()
            ran = theirs.bgt("kill", "--now", "2", timeout=30)
            check(is_alive(victim.pid), f"Alice's process was ended: {ran}")
            # Root that is told to use such a root refuses it.
            for words in (["kill", "--now", "2"], ["ps"]):
                ran = lab.bgt("--root", str(theirs.root), *words, uid=0, env={"BGT_ROOT": None})
                ran.refused("belongs to user")
            check(is_alive(victim.pid), "Alice's process was ended")
            task = theirs.show("2")
            check(task["lifecycle"] == "lost" and not task["adopted"] and task["supervisor"] is None, f"nobody was adopted: {task}")
            os.kill(victim.pid, signal.SIGKILL)


def a_process_that_changed_its_user_belongs_to_its_task(args) -> None:
    """What root starts and lets become somebody else: found, told apart, ended; with and without its supervisor."""
    need_root()
    need_programs("setpriv")
    for killed in (False, True):
        with Lab(args.bgt, 0) as lab:
            become = f"setpriv --reuid {MALLORY} --regid {MALLORY} --clear-groups"
            lab.home.chmod(0o711)
            lab.start("--ready-notify", "-c",
                      f"{become} setsid sh -c 'sleep 1000 & sleep 1000' & "
                      f"{become} {lab.program} notify --ready; echo said $?; sleep 1000")
            eventually(lambda: "said" in lab.bgt("logs", "1").out and lab.show("1")["processes"] >= 4,
                       "all are started")
            check(not lab.show("1")["ready"], "a process of another user has made it ready")
            if killed:
                lab.kill_supervisor("1")
            check(lab.show("1")["processes"] >= 4, f"all are found: {lab.show('1')}")
            lab.bgt("kill", "--now", "1").must(0)


if __name__ == "__main__":
    sys.exit(main([
        files_are_private_whatever_the_umask,
        files_are_private_when_a_caller_with_any_umask_takes_over,
        files_are_private_in_a_root_that_others_may_read,
        environment_and_arguments_of_the_supervisor_are_private,
        the_root_of_another_user_is_refused,
        the_socket_hears_no_other_user,
        an_abstract_socket_hears_no_other_user,
        a_flood_on_the_abstract_socket_costs_next_to_nothing,
        a_flood_from_another_user_keeps_nobody_waiting,
        *users_planted.TESTS,
        strangers_named_by_a_record_get_no_signal,
        a_folder_made_up_by_another_user_ends_nobody,
        a_process_that_changed_its_user_belongs_to_its_task,
    ], __doc__.splitlines()[0]))
