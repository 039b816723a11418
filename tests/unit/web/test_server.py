"""Memory of the process grows neither with how many threads have been at work, nor with what was freed."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's")

# Prints what malloc says of its heaps after 16 threads at once have each had memory of their own.
THREADS = """
import ctypes, threading
at_work = threading.Barrier(16)
libc = ctypes.CDLL(None)
def work():
    at_work.wait()
    libc.free(ctypes.c_void_p(allocate(100_000)))
allocate = libc.malloc
allocate.restype = ctypes.c_void_p
threads = [threading.Thread(target=work) for _ in range(16)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""
LIMITED = f"from sentiment_gru.web.server import limit_malloc_arenas; assert limit_malloc_arenas()\n{THREADS}"

# Ends once freed memory between blocks in use is returned; prints whether it was kept before.
SCATTERED = """
import threading, time
from pathlib import Path
from sentiment_gru.web.server import release_memory
def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
blocks = [bytearray(2_000) for _ in range(100_000)]
kept = blocks[::100]  # so that no end of the heap is free
full = megabytes()
del blocks
scattered = megabytes()
threading.Thread(target=release_memory, args=(0.01,), daemon=True).start()
while megabytes() > full - 100:
    time.sleep(0.01)
print(full - scattered < 50)
"""


def run(program: str) -> str:
    """Return what a program prints in a process of its own."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=300).stdout


def test_threads_share_few_heaps_and_memory_between_blocks_in_use_is_returned() -> None:
    printed = run(LIMITED + SCATTERED)
    assert printed.count("<heap nr=") <= 2
    assert printed.splitlines()[-1] == "True"
    assert run(THREADS).count("<heap nr=") > 2
