"""`python _child.py PARENT COMMAND...`: becomes COMMAND, which gets SIGTERM when PARENT dies, however it dies.

Run by its path, isolated from the package, so that it costs some 20 ms. The kernel (Linux) remembers the request
over exec; it would forget it over a setuid program, which none of ours is. It also fires when only the parent's
*thread* that forked us ends, so the supervisor starts children from its main thread alone.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PARENT = "ESCALATOR_CHILD_OF"  # environment: whose child COMMAND is


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.environ[PARENT] = str(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606  what the supervisor was told to run
    except OSError as error:
        sys.exit(f"{command[0]} can't be started: {error.strerror}")


def orphaned() -> bool:
    """Whether the process that started this one is gone; never so for one that nobody has started this way."""
    parent = os.environ.get(PARENT, "")
    return bool(parent) and parent != str(os.getppid())


if __name__ == "__main__":
    main()
