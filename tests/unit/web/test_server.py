"""Threads share few heaps, so that memory does not grow with how many have ever been at work."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

PROGRAM = """
import ctypes, threading
from sentiment_gru.web.server import limit_malloc_arenas
{prepare}
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


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
@pytest.mark.parametrize(("prepare", "few"), [("assert limit_malloc_arenas()", True), ("", False)])
def test_threads_share_few_heaps(prepare: str, few: bool) -> None:
    program = [sys.executable, "-c", PROGRAM.format(prepare=prepare)]
    heaps = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert (heaps.count("<heap nr=") <= 2) is few, heaps


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


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_memory_between_blocks_in_use_is_returned() -> None:
    program = [sys.executable, "-c", SCATTERED]
    result = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=300)
    assert result.stdout.strip() == "True"  # it was not returned before
