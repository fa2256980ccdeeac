"""The identity of the process that holds a lease, and evidence that this process has ended.

A process is only ever declared dead on evidence: it must have run on this very system start, in this very
process id namespace, and be gone now. About any other one nothing is known, and its lease has to lapse.

Linux tells in ``/proc`` all that this needs. On other POSIX systems a process counts as dead when nobody has its id
any more; on Windows nothing is known.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

_PROC = Path("/proc")

_HOST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Process:
    """The identity of a process, which no other process shares.

    Attributes:
        host: Name of the machine or container.
        boot: Identity of the machine's start on Linux, where process ids begin anew with it; elsewhere of the machine.
        namespace: Linux's process id namespace, as containers have them; "" elsewhere.
        pid: Process id.
        start: Start of the process in Linux's own count, because process ids are given out again; "" elsewhere.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    start: str

    @classmethod
    def this(cls) -> Process:
        """Return the identity of the calling process."""
        pid = os.getpid()
        if _linux():
            boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
            namespace = str((_PROC / "self/ns/pid").readlink())
            start = _status_and_start(pid)[1]
        else:
            boot, namespace, start = f"{uuid.getnode():012x}", "", ""
        return cls(socket.gethostname()[:_HOST_LENGTH], boot, namespace, pid, start)

    @classmethod
    def parse(cls, text: str | None) -> Process | None:
        """Read the text that :meth:`__str__` wrote; return None for any other text."""
        try:
            return cls(**orjson.loads(text or ""))
        except (ValueError, TypeError):
            return None

    def __str__(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    def surely_dead(self) -> bool:
        """Return True only if the process ran on this system and has certainly ended."""
        here = Process.this()
        if (self.host, self.boot, self.namespace) != (here.host, here.boot, here.namespace):
            return False
        return _gone_from_proc(self.pid, self.start) if _linux() else _gone(self.pid)


def process_identity() -> str:
    """Return the identity of the calling process as text for ``lease.process``, at most 255 characters."""
    return str(Process.this())


def surely_dead(identity: str | None) -> bool:
    """Return True if the process of this identity has certainly ended; False if that cannot be known."""
    process = Process.parse(identity)
    return process is not None and process.surely_dead()


def _linux() -> bool:
    return (_PROC / "self/stat").exists()


def _status_and_start(pid: int) -> tuple[str, str]:
    """Return status letter and start, in clock ticks since boot, from Linux's ``/proc/PID/stat`` (see proc(5)).

    A start in seconds since 1970, as other ways of asking give it, moves when the clock is set; then every running
    process would look like another one.
    """
    columns = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return columns[0], columns[19]


def _gone_from_proc(pid: int, start: str) -> bool:
    try:
        os.kill(pid, 0)
        status, started = _status_and_start(pid)
    except ProcessLookupError:
        return True
    except OSError:  # not ours, or hidden by the mount option hidepid
        return False
    return status in "ZX" or started != start


def _gone(pid: int) -> bool:
    if os.name != "posix":  # there signal 0 is no question, and ends a process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's: it lives
        pass
    return False
