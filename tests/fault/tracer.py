"""Runs a program, follows it or the supervisor that it forks from system call to system call, and makes one call fail.

ptrace(2) through ctypes and not strace: strace counts the calls of one name, in all processes at once; here it is the
n-th call of one process, whatever its name, and only of that one. What is not followed runs free, and so does the one
that is followed once it has been hit."""
import ctypes
import errno
import json
import os
import platform
import signal
import sys

from calls import errors_of, name_of

CONT, KILL_WITH_TRACER = 7, 0x00100000
POKEUSER, DETACH, SYSCALL, SETOPTIONS, GETEVENTMSG, SEIZE, LISTEN, GET_SYSCALL_INFO = (
    6, 17, 24, 0x4200, 0x4201, 0x4206, 0x4208, 0x420e)
SYSGOOD, TRACE_FORKS, TRACE_EXEC = 1, 0x2 | 0x4 | 0x8, 0x10
FORK_EVENTS, EXEC_EVENT, STOP_EVENT = (1, 2, 3), 4, 128
RAX, ORIG_RAX = 80, 120
ENTRY, EXIT = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def why_not() -> str:
    """Why nothing can be traced here; empty where it can."""
    if platform.machine() != "x86_64":
        return f"the tracer knows the registers of x86-64 only, this is {platform.machine()}"
    pid = os.fork()
    if pid == 0:
        signal.pause()
    try:
        ptrace(SEIZE, pid, 0, 0)
        return ""
    except OSError as error:
        return f"ptrace: {error.strerror}"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def ptrace(request: int, pid: int, address: int, data) -> int:
    ctypes.set_errno(0)
    result = _libc.ptrace(request, pid, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class SyscallInfo(ctypes.Structure):
    _fields_ = [("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
                ("sp", ctypes.c_uint64), ("number", ctypes.c_uint64), ("arguments", ctypes.c_uint64 * 6),
                ("spare", ctypes.c_uint64 * 4)]


class Tracer:
    """Follows one process: `target` is "cli" (the program that is started) or "supervisor" (the first it forks).

    `call`: the number of the call to be hit, counted from 1; 0: none, all are listed. `fault`: "kill", or the name of
    an error, which the first call from that number on gets that can fail with it."""

    def __init__(self, report_fd: int, target: str, call: int, fault: str):
        self.report_fd, self.target, self.call, self.fault = report_fd, target, call, fault
        self.cli = self.followed = 0
        self.count = 0
        self.calls = []
        self.counting = False
        self.pending = None     # what the call gets at its end: an errno

    def tell(self, **what) -> None:
        try:
            os.write(self.report_fd, (json.dumps(what) + "\n").encode())
        except BrokenPipeError:
            pass

    def start(self, argv, env, cwd, stdout, stderr) -> None:
        ready, go = os.pipe()
        self.cli = os.fork()
        if self.cli == 0:
            os.close(go)
            os.read(ready, 1)
            for fd, number in ((os.open(os.devnull, os.O_RDONLY), 0), (stdout, 1), (stderr, 2)):
                os.dup2(fd, number)
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        options = SYSGOOD | KILL_WITH_TRACER | TRACE_EXEC | (TRACE_FORKS if self.target == "supervisor" else 0)
        ptrace(SEIZE, self.cli, 0, options)
        os.close(ready)
        os.close(go)
        self.followed = self.cli

    def loop(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, 0x40000000)    # __WALL: also those that are no children
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                try:
                    self.on_stop(pid, status >> 8)
                except ProcessLookupError:
                    pass    # killed meanwhile: its end comes next
            elif pid == self.cli:
                self.tell(cli=os.waitstatus_to_exitcode(status))
            if not os.WIFSTOPPED(status) and pid == self.followed:
                self.followed = 0
        self.tell(end=True, calls=self.calls if self.call == 0 else [], count=self.count)

    def on_stop(self, pid: int, what: int) -> None:
        number, event = what & 0xff, what >> 8
        if number == signal.SIGTRAP | 0x80:
            return self.on_call(pid)
        if event in FORK_EVENTS and pid == self.cli and self.target == "supervisor":
            message = ctypes.c_ulong()
            ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(message))
            self.followed = message.value
            self.counting = True
            self.tell(supervisor=self.followed)
            ptrace(DETACH, pid, 0, 0)
        elif event == EXEC_EVENT:
            self.counting = self.target == "cli"
            ptrace(SYSCALL if self.target == "cli" else CONT, pid, 0, 0)
        elif event == STOP_EVENT and number == signal.SIGTRAP:
            if pid == self.followed and pid != self.cli:
                ptrace(SETOPTIONS, pid, 0, SYSGOOD | KILL_WITH_TRACER)
            self.go_on(pid, 0)
        elif event == STOP_EVENT:
            ptrace(LISTEN, pid, 0, 0)
        else:
            self.go_on(pid, 0 if event else number)

    def go_on(self, pid: int, with_signal: int) -> None:
        free = pid == self.cli and self.target == "supervisor"
        ptrace(CONT if free else SYSCALL, pid, 0, with_signal)

    def on_call(self, pid: int) -> None:
        info = SyscallInfo()
        ptrace(GET_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
        if info.op == ENTRY and self.counting:
            return self.on_entry(pid, info)
        if info.op == EXIT and self.pending is not None:
            ptrace(POKEUSER, pid, RAX, ctypes.c_void_p(-self.pending))
            ptrace(DETACH, pid, 0, 0)
            return None
        ptrace(SYSCALL, pid, 0, 0)
        return None

    def on_entry(self, pid: int, info: SyscallInfo) -> None:
        self.count += 1
        name = name_of(info.number)
        errors = errors_of(name, info.arguments)
        if self.call == 0:
            self.calls.append([name, list(errors)])
        elif self.count >= self.call and self.fault == "kill":
            self.tell(hit=name, at=self.count)
            os.kill(pid, signal.SIGKILL)
            return
        elif self.count >= self.call and self.fault in errors:
            self.tell(hit=name, at=self.count)
            return self.make_fail(pid, name)
        ptrace(SYSCALL, pid, 0, 0)

    def make_fail(self, pid: int, name: str) -> None:
        if name != "close":     # which closes also where it fails (man 2 close)
            ptrace(POKEUSER, pid, ORIG_RAX, ctypes.c_void_p(-1))
        self.pending = getattr(errno, self.fault)
        return ptrace(SYSCALL, pid, 0, 0)


def fork_tracer(argv, env, cwd, stdout, stderr, target, call, fault) -> tuple:
    """Starts a process that starts and follows `argv`: its pid, and the pipe on which it tells what happens."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        os.close(reader)
        tracer = Tracer(writer, target, call, fault)
        tracer.start(argv, env, cwd, stdout, stderr)
        tracer.loop()
        os._exit(0)
    except BaseException as error:      # whatever it is, it must not go on as a second harness
        os.write(writer, (json.dumps({"broken": repr(error)}) + "\n").encode())
        print("tracer:", repr(error), file=sys.stderr)
        os._exit(1)
