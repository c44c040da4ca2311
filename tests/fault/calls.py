"""The system calls of x86-64 that bgt makes, by number, and the errors that each of them can really fail with.

An error is in the list only where the manual names it for a machine in need: a full disk or table, no memory, a signal.
Errors that would say something untrue about the world (ENOENT of a file that is there) are no faults of a machine. brk has no errors, and the library's malloc ends
the program by itself where brk fails at the wrong moment."""
import os

NAMES = {
    0: "read", 1: "write", 2: "open", 3: "close", 4: "stat", 5: "fstat", 7: "poll", 8: "lseek", 9: "mmap",
    10: "mprotect", 11: "munmap", 12: "brk", 13: "rt_sigaction", 14: "rt_sigprocmask", 16: "ioctl", 17: "pread64",
    18: "pwrite64", 20: "writev", 21: "access", 22: "pipe", 23: "select", 25: "mremap", 28: "madvise", 32: "dup",
    33: "dup2", 35: "nanosleep", 39: "getpid", 41: "socket", 42: "connect", 43: "accept", 44: "sendto",
    45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 48: "shutdown", 49: "bind", 50: "listen", 51: "getsockname",
    54: "setsockopt", 55: "getsockopt", 56: "clone", 57: "fork", 58: "vfork", 59: "execve", 60: "exit", 61: "wait4",
    62: "kill", 63: "uname", 72: "fcntl", 73: "flock", 74: "fsync", 75: "fdatasync", 76: "truncate",
    77: "ftruncate", 79: "getcwd", 80: "chdir", 82: "rename", 83: "mkdir", 87: "unlink", 89: "readlink",
    90: "chmod", 91: "fchmod", 95: "umask", 96: "gettimeofday", 97: "getrlimit", 98: "getrusage", 99: "sysinfo",
    102: "getuid", 104: "getgid", 107: "geteuid", 108: "getegid", 109: "setpgid", 110: "getppid", 112: "setsid",
    131: "sigaltstack", 140: "getpriority", 141: "setpriority", 133: "mknod", 137: "statfs", 138: "fstatfs", 157: "prctl", 158: "arch_prctl",
    160: "setrlimit", 186: "gettid", 202: "futex", 204: "sched_getaffinity", 213: "epoll_create", 217: "getdents64", 218: "set_tid_address",
    228: "clock_gettime", 230: "clock_nanosleep", 231: "exit_group", 232: "epoll_wait", 233: "epoll_ctl",
    234: "tgkill", 247: "waitid", 254: "inotify_add_watch", 255: "inotify_rm_watch", 257: "openat", 258: "mkdirat",
    259: "mknodat", 262: "newfstatat", 263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat",
    267: "readlinkat", 269: "faccessat", 270: "pselect6", 271: "ppoll", 273: "set_robust_list", 275: "splice",
    281: "epoll_pwait", 283: "timerfd_create", 285: "fallocate", 286: "timerfd_settime", 288: "accept4",
    289: "signalfd4", 290: "eventfd2", 291: "epoll_create1", 292: "dup3", 293: "pipe2", 294: "inotify_init1",
    302: "prlimit64", 310: "process_vm_readv", 316: "renameat2", 318: "getrandom", 332: "statx", 334: "rseq", 424: "pidfd_send_signal",
    434: "pidfd_open", 435: "clone3", 436: "close_range", 437: "openat2", 438: "pidfd_getfd", 439: "faccessat2",
}

_FOLDER = ("ENOSPC", "EIO", "ENOMEM")
_OPEN = ("EMFILE", "ENOSPC", "EIO", "ENOMEM", "EINTR")
_DESCRIPTOR = ("EMFILE", "ENOMEM")

ERRORS = {
    "open": _OPEN, "openat": _OPEN, "openat2": _OPEN,
    "read": ("EIO", "EINTR"), "pread64": ("EIO", "EINTR"), "recvfrom": ("EINTR", "ENOMEM"),
    "recvmsg": ("EINTR", "ENOMEM"), "write": ("ENOSPC", "EIO", "EINTR"), "pwrite64": ("ENOSPC", "EIO", "EINTR"),
    "writev": ("ENOSPC", "EIO", "EINTR"),
    "sendto": ("EAGAIN", "ENOMEM", "EINTR"), "sendmsg": ("EAGAIN", "ENOMEM", "EINTR"), "connect": ("EAGAIN", "EINTR"),
    "splice": ("ENOSPC", "EIO", "ENOMEM", "EINTR", "EAGAIN"),
    "close": ("EIO", "EINTR"),
    "mmap": ("ENOMEM",), "mremap": ("ENOMEM",), "mprotect": ("ENOMEM",), "madvise": ("EAGAIN",),
    "poll": ("EINTR", "ENOMEM"), "ppoll": ("EINTR", "ENOMEM"), "select": ("EINTR", "ENOMEM"), "epoll_wait": ("EINTR",),
    "epoll_pwait": ("EINTR",), "clock_nanosleep": ("EINTR",), "nanosleep": ("EINTR",),
    "wait4": ("EINTR",), "waitid": ("EINTR",), "futex": ("EINTR", "EAGAIN"),
    "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"), "fork": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"), "execve": ("ENOMEM", "EIO"),
    "socket": _DESCRIPTOR, "pipe2": _DESCRIPTOR, "pipe": _DESCRIPTOR, "dup": ("EMFILE",), "dup2": ("EINTR",),
    "dup3": ("EINTR",), "epoll_create1": _DESCRIPTOR, "eventfd2": _DESCRIPTOR, "timerfd_create": _DESCRIPTOR,
    "signalfd4": _DESCRIPTOR, "inotify_init1": _DESCRIPTOR, "pidfd_open": _DESCRIPTOR, "accept4": _DESCRIPTOR,
    "inotify_add_watch": ("ENOSPC", "ENOMEM"), "epoll_ctl": ("ENOMEM", "ENOSPC"), "bind": ("ENOMEM", "ENOSPC"),
    "mkdir": _FOLDER, "mkdirat": _FOLDER, "mknod": _FOLDER, "mknodat": _FOLDER, "rename": _FOLDER, "renameat": _FOLDER,
    "renameat2": _FOLDER, "linkat": _FOLDER, "symlinkat": _FOLDER, "fallocate": ("ENOSPC", "EIO", "EINTR"),
    "ftruncate": ("EIO", "EINTR"), "fsync": ("ENOSPC", "EIO"), "fdatasync": ("ENOSPC", "EIO"),
    "unlink": ("EIO", "ENOMEM"), "unlinkat": ("EIO", "ENOMEM"), "stat": ("EIO", "ENOMEM"), "fstat": ("EIO", "ENOMEM"),
    "newfstatat": ("EIO", "ENOMEM"), "statx": ("EIO", "ENOMEM"), "readlink": ("EIO", "ENOMEM"),
    "readlinkat": ("EIO", "ENOMEM"), "access": ("EIO", "ENOMEM"), "faccessat": ("EIO", "ENOMEM"),
    "faccessat2": ("EIO", "ENOMEM"), "getdents64": ("EIO", "ENOMEM"), "getcwd": ("ENOMEM",), "chdir": ("EIO", "ENOMEM"),
    "flock": ("EINTR", "ENOMEM"),
}

_FCNTL_LOCKS = (5, 6, 7, 36, 37, 38)
_FCNTL_COPIES = (0, 1030)
_FUTEX_WAITS = (0, 9)


def name_of(number: int) -> str:
    return NAMES.get(number, f"call-{number}")


def errors_of(name: str, arguments) -> tuple:
    """What the call can fail with. fcntl does very different things, told apart by its second argument; only a file
    that may be made needs space."""
    if name == "futex" and arguments[1] & 0x7f not in _FUTEX_WAITS:
        return ()
    if name == "fcntl" and arguments[1] in _FCNTL_LOCKS:
        return ("ENOMEM", "EINTR")
    if name == "fcntl" and arguments[1] in _FCNTL_COPIES:
        return ("EMFILE",)
    if name == "openat" and not arguments[2] & os.O_CREAT:
        return tuple(error for error in _OPEN if error != "ENOSPC")
    return ERRORS.get(name, ())
