"""System calls that a page process has no use for, by what they would be misused for, with their numbers."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

Numbers = tuple[int | None, int | None]
"""On x86-64 and on arm64; None where there is no such call."""

PROGRAMS: dict[str, Numbers] = {"execve": (59, 221), "fork": (57, None), "vfork": (58, None)}  # fmt: skip
"""To start other programs: what commands are started with is let through for those who need commands."""

REFUSED: dict[str, Numbers] = {
    # Start programs from memory, of which Landlock knows nothing.
    "execveat": (322, 281), "memfd_create": (319, 279),
    # Talk to others.
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187),
    # Do any of this past a filter.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # Reach into other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Outlive the end of its group.
    "setsid": (112, 157), "setpgid": (109, 154),
    # Take the processor from others.
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274), "sched_setaffinity": (203, 122),
    # Reach into the kernel.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "syslog": (103, 116), "iopl": (172, None),
    "ioperm": (173, None), "modify_ldt": (154, None), "lookup_dcookie": (212, 18),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "personality": (135, 92),
    # See another file system, or change how files are seen.
    "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_tree_attr": (467, 467), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # Change files past Landlock, which knows nothing of modes, owners, times and attributes.
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "truncate": (76, 45), "mknod": (133, None), "mknodat": (259, 33),
    # Change the machine.
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58),
}  # fmt: skip


class Machine(NamedTuple):
    """What differs between kinds of processor."""

    column: int
    """Of the tables above."""
    audit: int
    """The kernel's name for it."""
    highest: int | None
    """Above it lie calls of another kind (x32), which come with numbers of their own."""
    clone: int
    clone3: int
    kill: int
    tgkill: int
    ioctl: int
    fcntl: int
    prlimit: int
    prctl: int
    open: int | None
    creat: int | None
    openat: int
    openat2: int
    seccomp: int

    def number(self, numbers: Numbers) -> int | None:
        return numbers[self.column]


def this_machine() -> Machine | None:
    """None for a system, a processor or a program of 32 bits for which no filter is known."""
    if sys.platform != "linux" or sys.maxsize <= 2**32:
        return None
    return MACHINES.get(os.uname().machine)


MACHINES = {
    "x86_64": Machine(0, 0xC000003E, 0x3FFFFFFF, clone=56, clone3=435, kill=62, tgkill=234, ioctl=16, fcntl=72, prlimit=302, prctl=157, open=2, creat=85, openat=257, openat2=437, seccomp=317),
    "aarch64": Machine(1, 0xC00000B7, None, clone=220, clone3=435, kill=129, tgkill=131, ioctl=29, fcntl=25, prlimit=261, prctl=167, open=None, creat=None, openat=56, openat2=437, seccomp=277),
}  # fmt: skip
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
"""The same on every kind of processor."""
