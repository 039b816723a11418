"""Give memory back to the system: glibc by itself keeps a heap for every thread, each as large as it ever was."""

import ctypes

# Of <malloc.h>; see mallopt(3).
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
HEAPS = 2
MAPPED_BYTES = 256 * 1024  # larger arrays are mapped by themselves, and gone when freed


def keep_few_heaps() -> bool:
    """Let all threads share few heaps; call this before they start. Return whether the C library can do so."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_ARENA_MAX, HEAPS)) and bool(mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES))
