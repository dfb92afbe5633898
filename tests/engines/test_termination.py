"""Many signals at once: none of them may wait for another, and the process ends."""

import os
import signal
import subprocess
import sys
import time

PROGRAM = """
import os, subprocess, sys
from auxseg.engines.termination import end_cleanly

wait = end_cleanly()
child = subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"])
try:
    child.wait()
    while True:
        pass
finally:
    try:
        wait()
    finally:
        os.write(1, b"waited")
"""


def test_signals_in_quick_succession_do_not_wait_for_each_other():
    """A handler that takes a lock waits for itself when the next signal interrupts it; kills of both groups do that."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        for _ in range(20):  # so few that even nested in each other they stay below Python's limit of recursion
            for _ in range(3):
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGTERM)
            time.sleep(0.02)
        out, _ = process.communicate(timeout=30)
        assert out == b"waited"
        assert process.returncode in (143, -signal.SIGTERM)  # the last ones may come when Python has ended its own
    finally:
        process.kill()


IN_DEL = """
import os, signal, time
from auxseg.engines.termination import end_cleanly

class Bar:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)

wait = end_cleanly()
bar = Bar()
del bar
time.sleep(60)
"""


def test_a_signal_in_a_finaliser_is_not_lost():
    """Python ignores an exception there, such as the one that should end the process."""
    done = subprocess.run([sys.executable, "-c", IN_DEL], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (143, "")
