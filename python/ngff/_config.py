"""`ngff.config`: how much memory a job may hold, and how many threads it may use."""

import os
from dataclasses import dataclass


def _available():
    """Half of the memory that is free now, as the seed's default; 1e9 where nobody can tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 512
    except OSError:
        pass
    return int(1e9)


@dataclass
class NgffZarrConfig:
    # Bytes a job may hold beyond its input: a bound. Beside lazy data little of it is used.
    memory_target: int = 0
    # Kept for scripts that set it: no graph of the whole is made, a call of a Dask scheduler holds the
    # tasks of some chunks.
    task_target: int = 50000
    # Kept for scripts that set it: what must wait goes to one unlinked file beside the store.
    cache_store: object = None
    # 0: every core this process may use.
    threads: int = 0
    hcs_image_cache_size: int = 100
    hcs_well_cache_size: int = 500


config = NgffZarrConfig(memory_target=_available())

_contexts = {}


def context(ahead=False):
    """The native context for what `config` says now; made once for each setting and process. `ahead`:
    a part of the memory is left for reading ahead."""
    from . import _core

    memory = max(0, int(config.memory_target)) - (ahead_limit() if ahead else 0)
    key = (os.getpid(), int(config.threads), memory)
    if key not in _contexts:
        _contexts[key] = _core.Context(key[1], key[2])
    return _contexts[key]


def ahead_limit():
    """Bytes of a foreign lazy array that may be held ahead of the engine and behind it."""
    return max(0, int(config.memory_target)) // 4


def ahead_threads():
    """How many regions are read at once beside those the engine's threads wait for."""
    return 0 if config.threads == 1 else 2
