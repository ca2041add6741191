"""Starts processes and measures them. A process of its own because the peak memory that the kernel
reports for a child is never below its parent's at the start; this one stays small.

Reads a JSON list of words a line, answers with a JSON object a line: exit status, wall and CPU
seconds, peak memory and the child's standard output."""

import json
import os
import sys
import tempfile
import time


def launch(words, sink):
    sink.seek(0)
    sink.truncate()
    start = time.perf_counter()
    pid = os.posix_spawn(words[0], words, os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, sink.fileno(), 1)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    sink.seek(0)
    return {"exit": os.waitstatus_to_exitcode(status), "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024,
            "text": sink.read().decode(errors="replace")}


def main():
    with tempfile.TemporaryFile() as sink:
        for line in sys.stdin:
            print(json.dumps(launch(json.loads(line), sink)), flush=True)


if __name__ == "__main__":
    main()
