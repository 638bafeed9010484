"""System calls: the filter (seccomp) that takes from a process what a student's class never needs.

    open, read, write, mmap, a thread    pass
    fork, exec, sockets                  EPERM  "Operation not permitted": a PermissionError in Python
    kill, tgkill                         pass to the process itself, but for signals that stop it; EPERM to any other
    ptrace, another's memory or limits   EPERM
    chmod, chown, utime, fsync           do nothing, and say that it is done: Landlock does not look at them, and
                                         who waits for the disk seems to have no time from the machine
    calls that this list is too old for  ENOSYS, as on an older kernel; io_uring and clone3 are among them

The filter is a program for the kernel's packet filter (BPF), which looks at the number of each call and at its
arguments.  It cannot follow a pointer, so calls that hide their arguments behind one are refused as a whole.

Assumes   Linux on x86-64 or on 64-bit ARM, little endian.  Elsewhere `install` returns False and changes nothing.
Promises  what it refuses stays refused: for every thread, and until the process has ended.
Read also `confinement`, which installs it; `man 2 seccomp`.
"""

import os
import struct
import sys
from collections.abc import Iterator

_DENIED = {
    # name: (x86-64, 64-bit ARM); None: that machine has no such call
    # other processes: beginning them, signalling them, looking into them, slowing them down
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "tkill": (200, 130),
    "timer_create": (222, 107), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "get_robust_list": (274, 100),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "setrlimit": (160, 164), "setpgid": (109, 154),
    "setsid": (112, 157),
    # the network
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242), "bind": (49, 200),
    "listen": (50, 201), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    # what outlives a process, or is no file and yet takes memory
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "shmat": (30, 196), "shmctl": (31, 195),
    "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "memfd_create": (319, 279), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27), "fanotify_init": (300, 262),
    # what Landlock lets pass
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "truncate": (76, 45),
    # becoming somebody else
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91),
    # the machine, for a process that began as root
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "bpf": (321, 280), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "iopl": (172, None),
    "ioperm": (173, None), "modify_ldt": (154, None), "acct": (163, 89), "settimeofday": (164, 170),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "clock_settime": (227, 112), "syslog": (103, 116),
    "quotactl": (179, 60), "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "personality": (135, 92), "vhangup": (153, 58), "uselib": (134, None),
    "lookup_dcookie": (212, 18),
}  # fmt: skip

_PRETENDED = {
    "fsync": (74, 82), "fdatasync": (75, 83), "sync": (162, 81), "syncfs": (306, 267), "sync_file_range": (277, 84),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
"""Libraries do this to files of their own and do not expect a no; they are told that it is done."""

_NEWER = 424
"""From here on calls have one number on every machine.  This list does not know those of the future."""
_NEWER_ALLOWED = (436, 439, 441, 449, 453, 454, 455, 456, 462)
"""close_range, faccessat2, epoll_pwait2, futex_waitv, map_shadow_stack, futex_wake, _wait and _requeue, mseal."""

_X32 = 0x4000_0000
"""x86-64 has every call a second time, with this bit."""

_MACHINES = {"x86_64": (0, 0xC000_003E, 317), "aarch64": (1, 0xC000_00B7, 277), "arm64": (1, 0xC000_00B7, 277)}
"""machine -> (column of the tables, how the kernel names it to a filter, number of the call seccomp)"""

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _KILL, _EPERM, _ENOSYS, _PRETEND = 0x7FFF_0000, 0x8000_0000, 0x0005_0001, 0x0005_0026, 0x0005_0000

_O_TRUNC, _O_ACCMODE, _CLONE_THREAD, _CLONE_NEW = 0x200, 3, 0x10000, 0x7E02_0000
_UNIX, _STREAM, _PDEATHSIG = 1, 1, 1
_OWNERS = (8, 10, 15, 1024, 1026)
"""fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: the kernel would signal whom they name."""
_CONTROLS = (0x5412, 0x541C, 0x540E, 0x5452, 0x8901, 0x8902)
"""ioctl: TIOCSTI, TIOCLINUX and TIOCSCTTY (typing into a terminal), FIOASYNC, FIOSETOWN, SIOCSPGRP (as above)."""

Test = tuple[int, int, int, bool]
"""(which 32-bit word of the arguments, mask, value, whether it must be that value, or must not be it)"""


def _looked_into(pid: int) -> dict[tuple[int | None, int | None], tuple[Test, ...]]:
    """Return the calls whose arguments decide, by their numbers; every test must pass."""
    return {
        (56, 220): (
            (0, _CLONE_THREAD, _CLONE_THREAD, True),
            (0, _CLONE_NEW, 0, True),
        ),  # clone: a thread like the others
        (62, 129): ((0, 0xFFFF_FFFF, pid, True), *_no_stop(2)),  # kill
        (234, 131): ((0, 0xFFFF_FFFF, pid, True), *_no_stop(4)),  # tgkill
        (302, 261): ((4, 0xFFFF_FFFF, 0, True), (5, 0xFFFF_FFFF, 0, True)),  # prlimit64: limits may only be read
        (2, None): ((2, _O_TRUNC | _O_ACCMODE, _O_TRUNC, False),),  # open: an old Landlock allows this to readers
        (257, 56): ((4, _O_TRUNC | _O_ACCMODE, _O_TRUNC, False),),  # openat
        (53, 199): ((0, 0xFFFF_FFFF, _UNIX, True), (2, 0xF, _STREAM, True)),  # socketpair, which asyncio needs
        (44, 206): ((8, 0xFFFF_FFFF, 0, True), (9, 0xFFFF_FFFF, 0, True)),  # sendto: to nobody but the other end
        (72, 25): tuple((2, 0xFFFF_FFFF, command, False) for command in _OWNERS),  # fcntl
        (16, 29): tuple((2, 0xFFFF_FFFF, command, False) for command in _CONTROLS),  # ioctl
        (157, 167): ((0, 0xFFFF_FFFF, _PDEATHSIG, False),),  # prctl: it ends with its parent, and that stays so
    }


def _no_stop(word: int) -> Iterator[Test]:
    """Yield the tests that a signal does not stop the process: then it would seem as if the machine had no time for it."""
    for number in (19, 20, 21, 22):  # SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU
        yield word, 0xFFFF_FFFF, number, False


def install() -> bool:
    """Filter the system calls of this process, all its threads, from now on; False if this system cannot."""
    machine = _MACHINES.get(os.uname().machine) if sys.platform == "linux" else None
    if machine is None or sys.byteorder != "little":
        return False
    import ctypes

    column, architecture, seccomp = machine
    program = _program(column, architecture, os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS, without which the kernel lets only root install a filter
    return bool(system.syscall(seccomp, 1, 1, header) == 0)  # SECCOMP_SET_MODE_FILTER, for all threads


def _program(column: int, architecture: int, pid: int) -> bytes:
    """Return the filter as the kernel reads it: instructions of 8 bytes, which look at one number, the accumulator."""
    lines = [
        (_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL),  # the other calls of a 64-bit machine
        (_LOAD, 0, 0, 0), (_EQUAL, 0, 1, 0xFFFF_FFFF), (_RETURN, 0, 0, _ENOSYS),
    ]  # fmt: skip
    if column == 0:
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    newer = [line for number in _NEWER_ALLOWED for line in _if_it_is(number, [(_RETURN, 0, 0, _ALLOW)])]
    newer.append((_RETURN, 0, 0, _ENOSYS))
    lines += [(_AT_LEAST, 0, len(newer), _NEWER), *newer]
    for numbers, tests in _looked_into(pid).items():
        if (number := numbers[column]) is not None:
            lines += _if_it_is(
                number, [line for test in tests for line in _refuse_unless(*test)] + [(_RETURN, 0, 0, _ALLOW)]
            )
    for table, answer in ((_DENIED, _EPERM), (_PRETENDED, _PRETEND)):
        known = [numbers[column] for numbers in table.values()]
        lines += [
            line for number in known if number is not None for line in _if_it_is(number, [(_RETURN, 0, 0, answer)])
        ]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


Line = tuple[int, int, int, int]
"""(what to do, how many lines to skip if it holds, how many if not, a number)"""


def _if_it_is(number: int, then: list[Line]) -> list[Line]:
    return [(_EQUAL, 0, len(then), number), *then]


def _refuse_unless(word: int, mask: int, value: int, equal: bool) -> list[Line]:
    jumps = (1, 0) if equal else (0, 1)
    return [(_LOAD, 0, 0, 16 + 4 * word), (_AND, 0, 0, mask), (_EQUAL, *jumps, value), (_RETURN, 0, 0, _EPERM)]
