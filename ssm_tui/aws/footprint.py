"""How little memory and time reading leaves behind: what Python's garbage collector and C's allocator are told."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from functools import cache

# glibc's <malloc.h>.
_M_MMAP_THRESHOLD = -3
_LARGE = 256 * 1024


@cache
def service_loaded(_name: str) -> None:
    """The description of a service has been loaded: a hundred thousand objects that stay. They need not be looked
    through each time that Python looks for garbage, 0.05 s in which no thread goes on, once a page of EC2's."""
    _give_back_what_is_large()
    gc.freeze()


@cache
def _give_back_what_is_large() -> None:
    """A page of 1,000 instances is up to 10 MB of text. Once one has been freed, glibc keeps as much for later ones,
    for each of a dozen threads: 60 MB after three reads of 10,000 nodes, 24 MB where it is told not to."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library's
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
