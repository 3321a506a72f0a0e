"""Keep a process away from the machine it runs on: what Linux offers for that, by system calls.

A server that forks for each submission first takes `enter`, once: another user where it is root, and a
user and a process namespace that end with it. It forks by `fork_apart`, and each fork takes `confine`:
namespaces of its own, a scratch folder in memory, Landlock, seccomp, limits, no capabilities.
`Documentation/userspace-api/landlock.rst`, `seccomp_filter.rst` and user_namespaces(7) describe the parts.
"""

import ctypes
import functools
import json
import os
import platform
import stat
import struct
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:
    resource = None  # type: ignore[assignment]  # Windows

NAMESPACES = "user, process, network, IPC, host name and mount namespaces"
LANDLOCK, SECCOMP, LIMITS, USER = "Landlock", "seccomp", "resource limits", "another user"
LAYERS = (NAMESPACES, LANDLOCK, SECCOMP, LIMITS, USER)

NOBODY = 65534
SCRATCH_BYTES, SCRATCH_FILES = 64 * 2**20, 4096
MAX_PROCESSES, MAX_OPEN_FILES, MAX_FILE_BYTES = 64, 256, 16 * 2**20

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
CLONE_NEWCGROUP, CLONE_NEWTIME = 0x02000000, 0x00000080
MADV_COLLAPSE = 25
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
LAST_CAPABILITY = 63

SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR = 1, 2, 4, 8
FS_REFER, FS_TRUNCATE, FS_IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV
READ = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR

DENIED = {
    "x86_64": (0xC000003E, 56, 435, 16, {
        "socket": 41, "inotify_init": 253, "inotify_init1": 294, "memfd_create": 319, "memfd_secret": 447,
        "shmget": 29, "msgget": 68, "semget": 64,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "move_mount": 429, "open_tree": 428,
        "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
        "unshare": 272, "setns": 308, "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175,
        "finit_module": 313, "delete_module": 176, "reboot": 169, "swapon": 167, "swapoff": 168,
        "open_by_handle_at": 304, "name_to_handle_at": 303, "personality": 135, "quotactl": 179,
        "acct": 163, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159, "clock_adjtime": 305,
        "sethostname": 170, "setdomainname": 171, "syslog": 103, "iopl": 172, "ioperm": 173,
        "modify_ldt": 154, "lookup_dcookie": 212, "fanotify_init": 300, "vhangup": 153,
        "mknod": 133, "mknodat": 259, "setuid": 105, "setgid": 106, "setgroups": 116,
    }),
    "aarch64": (0xC00000B7, 220, 435, 29, {
        "socket": 198, "inotify_init1": 26, "memfd_create": 279, "memfd_secret": 447,
        "shmget": 194, "msgget": 186, "semget": 190,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "pidfd_getfd": 438,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "move_mount": 429, "open_tree": 428,
        "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
        "unshare": 97, "setns": 268, "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "kexec_load": 104, "kexec_file_load": 294, "init_module": 105,
        "finit_module": 273, "delete_module": 106, "reboot": 142, "swapon": 224, "swapoff": 225,
        "open_by_handle_at": 265, "name_to_handle_at": 264, "personality": 92, "quotactl": 60,
        "acct": 89, "settimeofday": 170, "clock_settime": 112, "adjtimex": 171, "clock_adjtime": 266,
        "sethostname": 161, "setdomainname": 162, "syslog": 116, "lookup_dcookie": 18,
        "fanotify_init": 262, "vhangup": 58, "mknodat": 33, "setuid": 146, "setgid": 144, "setgroups": 159,
    }),
}  # fmt: skip
"""By machine: AUDIT_ARCH, the numbers of clone, clone3 and ioctl, and of what is refused."""
CHANGES_FILES = {
    "x86_64": {
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93, "lchown": 94,
        "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188,
        "lsetxattr": 189, "fsetxattr": 190, "setxattrat": 463, "removexattr": 197, "lremovexattr": 198,
        "fremovexattr": 199, "removexattrat": 466, "file_setattr": 469,
    },
    "aarch64": {
        "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "fchownat": 54, "fchown": 55, "utimensat": 88,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "setxattrat": 463, "removexattr": 14,
        "lremovexattr": 15, "fremovexattr": 16, "removexattrat": 466, "file_setattr": 469,
    },
}  # fmt: skip
"""What changes a file without opening it, which Landlock does not see: refused where mounts stay writable."""
TIOCSTI, EPERM, ENOSYS, X32 = 0x5412, 1, 38, 0x40000000

_libc: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ConfineError(OSError):
    """A layer cannot be had here; the message says which and why."""


def enter(layers: Iterable[str], needed: Iterable[Path]) -> None:
    """Become another user, and the first process of a user and a process namespace: forks, and stays behind.

    The process that calls this goes on as the child of itself; its parent waits and ends with it.

    Args:
        layers: which of `USER` and `NAMESPACES` to take.
        needed: folders that must stay readable.

    Raises:
        ConfineError: a layer cannot be had.
    """
    if USER in layers and os.geteuid() == 0:
        os.umask(0o022)  # what is made from here on is for the other user, too
        _uncover(path.resolve() for path in needed)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _prctl(PR_SET_DUMPABLE, 1)
    if NAMESPACES in layers:
        user, group = os.geteuid(), os.getegid()
        _call(NAMESPACES, _libc.unshare, CLONE_NEWUSER | CLONE_NEWPID)
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        except OSError as error:
            raise ConfineError(f"{NAMESPACES}: {error}") from None
        child = os.fork()
        if child:
            os.closerange(0, 2**16)
            _, status = os.waitpid(child, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        _prctl(PR_SET_PDEATHSIG, 9)
    else:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def gather_memory() -> None:
    """Put what this process has in memory into huge pages, as far as the kernel can: forks come quicker.

    A fork copies an entry for each page and gives it back at its end; 150 MB are 40,000 small pages. See
    madvise(2), MADV_COLLAPSE, since Linux 6.1.
    """
    size = 2 * 2**20
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, rights, _, _, inode, *name = line.split()
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in addresses.split("-"))
            for place in range(-(-start // size) * size, end - size + 1, size):
                _libc.madvise(ctypes.c_void_p(place), ctypes.c_size_t(size), MADV_COLLAPSE)


def fork_apart(layers: Iterable[str]) -> int:
    """Fork; where there are namespaces, the child is the first process of its own, and all die with it."""
    if NAMESPACES not in layers:
        return os.fork()
    here = os.open("/proc/self/ns/pid_for_children", os.O_RDONLY)
    try:
        _call(NAMESPACES, _libc.unshare, CLONE_NEWPID)
        child = os.fork()
        if child:
            _call(NAMESPACES, _libc.setns, here, CLONE_NEWPID)
    finally:
        os.close(here)
    return child


def confine(
    layers: Iterable[str], scratch: Path, readable: Iterable[Path], memory_mb: int, seconds: float
) -> None:
    """Give up what numeric code does not need.

    Args:
        layers: which of `LAYERS` to take.
        scratch: the only folder that stays writable; with namespaces it is new and empty, in memory.
        readable: files and folders that stay readable.
        memory_mb: MiB of memory beyond what is in use now.
        seconds: of processor time.

    Raises:
        ConfineError: a layer cannot be had.
    """
    _prctl(PR_SET_PDEATHSIG, 9)
    if NAMESPACES in layers:
        _call(NAMESPACES, _libc.unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
        _call(NAMESPACES, _libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        read_only = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
        everything = AT_FDCWD, b"/", AT_RECURSIVE, read_only, ctypes.c_size_t(len(read_only))
        _call(NAMESPACES, _libc.syscall, SYS_MOUNT_SETATTR, *everything)
        size = f"size={SCRATCH_BYTES},nr_inodes={SCRATCH_FILES},mode=700".encode()
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        for place in (scratch, Path("/dev/shm")):
            _call(NAMESPACES, _libc.mount, b"tmpfs", os.fsencode(place), b"tmpfs", flags, size)
    os.chdir(scratch)
    if LIMITS in layers:
        limit(memory_mb, seconds, 0 if NAMESPACES in layers else _running())
    _drop_capabilities()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    if LANDLOCK in layers:
        writable = [scratch, Path("/dev/shm")] if NAMESPACES in layers else [scratch]
        _landlock(readable, writable)
    if SECCOMP in layers:
        _seccomp(mounts_are_read_only=NAMESPACES in layers)


def close_all_but(descriptor: int) -> int:
    """Lead the standard streams nowhere and close all else; returns the descriptor's new number."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    kept = os.dup(descriptor)
    while kept <= 3:
        kept = os.dup(kept)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    descriptor = os.dup2(kept, 3, inheritable=False)
    os.closerange(4, 2**16)
    return descriptor


@functools.cache
def libraries() -> tuple[Path, ...]:
    """Where this Python and what it loads lie."""
    paths = sysconfig.get_paths()
    names = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    names += [f"{prefix}/lib" for prefix in (sys.base_prefix, sys.prefix, "/usr", "")]
    names += ["/lib64", "/usr/lib64", "/etc/ld.so.cache"]
    return tuple(sorted({Path(name).resolve() for name in names if Path(name).exists()}))


def landlock_version() -> int:
    """The version of Landlock that the kernel has; 0 if none."""
    if _libc is None:
        return 0
    return max(0, int(_libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def limit(memory_mb: int, seconds: float, running: int = 0) -> None:
    """Bound memory beyond what is in use now, processor time, files, processes, as far as the system can.

    Args:
        memory_mb: MiB beyond what is in use now.
        seconds: of processor time.
        running: processes and threads that count, and do not belong to this process.
    """
    if resource is None:
        return
    bounds = {
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_FSIZE": MAX_FILE_BYTES,
        "RLIMIT_NPROC": running + MAX_PROCESSES,
        "RLIMIT_NOFILE": MAX_OPEN_FILES,
        "RLIMIT_CORE": 0,
    }
    statm = Path("/proc/self/statm")
    if statm.exists():
        used = int(statm.read_text().split()[0]) * resource.getpagesize()
        bounds["RLIMIT_AS"] = used + memory_mb * 2**20
    for name, bound in bounds.items():
        _, hard = resource.getrlimit(kind := getattr(resource, name))
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))


def _running() -> int:
    """Processes and threads of this user."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.geteuid():
                count += len([*(process / "task").iterdir()])
        except OSError:
            continue  # it has ended
    return count


def _drop_capabilities() -> None:
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that the kernel or we lack
    header = struct.pack("Ii", 0x20080522, 0)
    _call("capabilities", _libc.capset, header, bytes(24))


def _landlock(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    version = landlock_version()
    if version < 1:
        raise ConfineError(f"{LANDLOCK}: the kernel has none")
    everything = (1 << 13) - 1
    for since, right in ((2, FS_REFER), (3, FS_TRUNCATE), (5, FS_IOCTL_DEV)):
        everything |= right if version >= since else 0
    network, scopes = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    attributes = struct.pack("QQQ", everything, network, scopes)[
        : 8 if version < 4 else 16 if version < 6 else 24
    ]
    ruleset = _call(
        LANDLOCK, _libc.syscall, SYS_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0
    )
    rules = [(path, READ) for path in readable]
    rules += [(path, everything) for path in writable]
    rules += [(Path(name), FS_READ_FILE | FS_WRITE_FILE) for name in ("/dev/null", "/dev/zero", "/dev/full")]
    rules += [(Path(name), FS_READ_FILE) for name in ("/dev/urandom", "/dev/random")]
    for path, rights in rules:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what cannot be opened cannot be read either
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= FS_OF_FILES
        rule = struct.pack("=Qi", rights & everything, place)
        _call(LANDLOCK, _libc.syscall, SYS_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)
        os.close(place)
    _call(LANDLOCK, _libc.syscall, SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _seccomp(*, mounts_are_read_only: bool) -> None:
    """Refuse by EPERM; a foreign instruction set ends the process."""
    machine = platform.machine()
    if machine not in DENIED:
        raise ConfineError(f"{SECCOMP}: no list of system calls for {machine}")
    arch, clone, clone3, ioctl, denied = DENIED[machine]
    changes = {} if mounts_are_read_only else CHANGES_FILES[machine]
    load, equal, at_least, any_bit, give = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, allow, refuse = 0x80000000, 0x7FFF0000, 0x00050000
    new_namespaces = (
        CLONE_NEWNS
        | CLONE_NEWUTS
        | CLONE_NEWIPC
        | CLONE_NEWUSER
        | CLONE_NEWPID
        | CLONE_NEWNET
        | CLONE_NEWCGROUP
    )
    number, argument = 0, {index: 16 + 8 * index for index in range(2)}
    program = [
        (load, 0, 0, 4),
        (equal, 1, 0, arch),
        (give, 0, 0, kill),
        (load, 0, 0, number),
        (at_least, 0, 1, X32),
        (give, 0, 0, refuse | EPERM),
        (equal, 0, 1, clone3),
        (give, 0, 0, refuse | ENOSYS),
        (equal, 0, 4, clone),
        (load, 0, 0, argument[0]),
        (any_bit, 0, 1, new_namespaces),
        (give, 0, 0, refuse | EPERM),
        (give, 0, 0, allow),
        (equal, 0, 4, ioctl),
        (load, 0, 0, argument[1]),
        (equal, 0, 1, TIOCSTI),
        (give, 0, 0, refuse | EPERM),
        (give, 0, 0, allow),
    ]
    for call in (*denied.values(), *changes.values()):
        program += [(equal, 0, 1, call), (give, 0, 0, refuse | EPERM)]
    program.append((give, 0, 0, allow))
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(filters))
    _call(SECCOMP, _libc.prctl, PR_SET_SECCOMP, 2, head, 0, 0)


def _uncover(needed: Iterable[Path]) -> None:
    """Open the way to folders below one that is closed to others, by an empty one in its place in memory."""
    closed: dict[Path, list[Path]] = {}
    for path in needed:
        way = [*reversed(path.parents), path]
        if bars := [folder for folder in way if folder.is_dir() and not folder.stat().st_mode & 0o1]:
            closed.setdefault(bars[0], []).append(path)
    if not closed:
        return
    _call(USER, _libc.unshare, CLONE_NEWNS)
    _call(USER, _libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for top, paths in closed.items():
        if top in paths:
            raise ConfineError(f"{USER}: {top} is closed to other users")
        opened = {path: os.open(path, os.O_PATH) for path in paths}
        _call(USER, _libc.mount, b"tmpfs", os.fsencode(top), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755")
        for path, descriptor in opened.items():
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
            source = f"/proc/self/fd/{descriptor}".encode()
            _call(USER, _libc.mount, source, os.fsencode(path), None, MS_BIND | MS_REC, None)
            os.close(descriptor)


def _prctl(option: int, value: int) -> None:
    _call("prctl", _libc.prctl, option, value, 0, 0, 0)


def _call(layer: str, function: Callable[..., int], *arguments: object) -> int:
    result = function(*arguments)
    if result < 0:
        raise ConfineError(f"{layer}: {os.strerror(ctypes.get_errno())}")
    return result


def offered() -> dict[str, str]:
    """Try each layer, and all that can be had together; what cannot be had comes with the reason.

    Returns:
        The layers; the text is empty where a layer works. As an ordinary user there is no other to become,
        so that `USER` is not among them.
    """
    if _libc is None:
        return {layer: f"{layer}: Linux only" for layer in LAYERS if layer != USER}
    needed = libraries()
    layers = [layer for layer in LAYERS if layer != USER or os.geteuid() == 0]
    found = {layer: _attempt([layer], needed) for layer in layers}
    working = [layer for layer, reason in found.items() if not reason]
    if reason := _attempt(working, needed):
        return dict.fromkeys(layers, f"together they fail ({reason})")
    return found


def _attempt(layers: list[str], needed: Iterable[Path]) -> str:
    """Take layers in a process of their own; why that fails, or nothing."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory(prefix="workbook-") as scratch:
        Path(scratch).chmod(0o777)
        child = os.fork()
        if child == 0:
            try:
                enter(layers, [*needed, Path(scratch)])
                inner = fork_apart(layers)
                if inner:
                    os.waitpid(inner, 0)
                else:
                    confine(layers, Path(scratch), needed, 1024, 60)
                    os.write(writer, b"done")
            except Exception as error:  # a fork that goes on would be a second run
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as answers:
            text = answers.read().decode()
    return "" if text == "done" else text or "the process ended"


if __name__ == "__main__":
    print(json.dumps(offered()))
