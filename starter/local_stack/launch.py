"""Becomes another program, which then ends when the process that started it ends, even by SIGKILL.

Run by path as `python launch.py PARENT SIGNAL PROGRAM ARGUMENT…`. Only Linux sees to the ending; elsewhere
the next start of the stack ends what is left over. It is a program of its own because code between fork and
exec is not safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Arm the signal for the parent's death, then become the program."""
    parent, ending, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ending)
    if os.getppid() != parent:
        sys.exit(f"{program[0]}: the process that asked for it is gone")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and ignoring is inherited
    os.execvp(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main()
