"""A reading process that starts no program and speaks to nobody, whatever the file makes of it: Linux refuses both.

A filter of system calls (seccomp), which cannot be taken off again. Where the system knows none, or forbids it, limits
on time, memory and files are all there is.
"""

from __future__ import annotations

import ctypes
import logging
import platform
import struct
import sys

# By machine: the numbers of its way of calling and of seccomp, and of what is refused: socket, connect, execve,
# execveat, ptrace and process_vm_writev.
_CALLS = {
    "x86_64": (0xC000003E, 317, (41, 42, 59, 322, 101, 311)),
    "aarch64": (0xC00000B7, 277, (198, 203, 221, 281, 117, 271)),
}
_OTHER_WAY_OF_CALLING = 0x40000000  # of x86_64: the same calls by other numbers
_LOAD, _EQUAL, _AT_LEAST, _ANSWER = 0x20, 0x15, 0x35, 0x06
_AT_NUMBER, _AT_MACHINE = 0, 4
_ALLOW, _NOT_PERMITTED = 0x7FFF0000, 0x00050001
_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _IN_ALL_THREADS = 38, 1, 1


class _Program(ctypes.Structure):
    _fields_ = (("n", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def confine() -> bool:
    """From now on no program is started and no connection made by this process; whether the system does that."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        return False
    way, seccomp, refused = _CALLS[machine]
    content = b"".join(_steps(way, refused))
    program = _Program(len(content) // 8, content)
    system = ctypes.CDLL(None, use_errno=True)
    one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
    done = system.prctl(_SET_NO_NEW_PRIVILEGES, one, none, none, none) == 0
    if not done or system.syscall(seccomp, _SET_FILTER, _IN_ALL_THREADS, ctypes.byref(program)) != 0:
        logging.getLogger(__name__).info("System calls cannot be filtered: error %d.", ctypes.get_errno())
        return False
    return True


def _steps(machine: int, calls: tuple[int, ...]) -> list[bytes]:
    """The filter: what is not one of these calls, made in the one way, is allowed."""
    tests = [(_AT_LEAST, _OTHER_WAY_OF_CALLING), *((_EQUAL, number) for number in calls)]
    to_refusal = [len(tests) - i for i in range(len(tests))]  # over the tests that are left, and the allowance
    return [
        _step(_LOAD, _AT_MACHINE),
        _step(_EQUAL, machine, 0, len(tests) + 2),
        _step(_LOAD, _AT_NUMBER),
        *(_step(kind, number, skip) for (kind, number), skip in zip(tests, to_refusal, strict=True)),
        _step(_ANSWER, _ALLOW),
        _step(_ANSWER, _NOT_PERMITTED),
    ]


def _step(kind: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("=HBBI", kind, if_so, if_not, value)
