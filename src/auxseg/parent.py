"""End a process when the one that started it is gone, even by SIGKILL, so that nothing computes for nobody."""

import os
import signal
import threading
import time

SECONDS = 1.0
"""Time between two looks at the parent."""


def end_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Send this process the signal `number` as soon as its parent is not the process `parent` any more.

    A thread looks every second. Linux could send a signal itself (PR_SET_PDEATHSIG), but does so when the *thread* that
    started this process ends, and other systems cannot.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS)
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
