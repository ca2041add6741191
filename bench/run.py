"""./dev bench: the command line beside the floor and the peers, alternating, in one run. Writes
build/bench/result.json, result.md and plot.png and prints the table.

    run.py [--rounds N | --quick] [--full] [--dir DIR] [--disk DIR] [--out DIR] [--shape Z,Y,X]
           [--bin DIR] [--only "CASE;…"]

Ctrl-C (or SIGTERM) stops measuring and reports the rounds that were finished.
ngff and the floor are timed as whole processes, start-up included; the peers inside their process,
after a warm-up. See README.md."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import numpy as np

import report
import volume as made
from cases import CASES, FLOOR_CODECS, FULL, convert_words

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Launcher:
    """launch.py, asked over its pipes."""

    def __init__(self):
        here = pathlib.Path(__file__).parent / "launch.py"
        self.process = subprocess.Popen([sys.executable, "-S", "-E", here], text=True,
                                        start_new_session=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def run(self, *words):
        words = [str(word) for word in words]
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer.pop("exit"):
            raise SystemExit(f"bench: this failed: {' '.join(words)}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size_of(path):
    if path.is_file():
        return path.stat().st_size
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


class Bench:
    def __init__(self, options):
        self.dir, self.disk = pathlib.Path(options.dir), pathlib.Path(options.disk)
        self.bin = pathlib.Path(options.bin)
        self.shape = tuple(int(n) for n in options.shape.split(","))
        only = options.only.split(";") if options.only else CASES
        self.names = [n for n in CASES if n in only and (options.full or n not in FULL)]
        self.rounds = 2 if options.quick else options.rounds
        self.runs = {name: [] for name in self.names}
        self.peers, self.versions, self.levels = {}, {}, {}
        self.launcher = Launcher()

    # ---- inputs ----------------------------------------------------------------------------------

    def prepare(self):
        for path in (self.dir, self.disk):
            path.mkdir(parents=True, exist_ok=True)
        z, y, x = self.shape
        wanted = {CASES[n]["data"] for n in self.names}
        stack = made.light_sheet(self.shape)
        self.save("volume", stack)
        level = stack
        for n in range(1, 4):
            level = made.halved(level)
            np.save(self.dir / f"volume.{n}.npy", level)
        if "eighth" in wanted:
            self.save("eighth", np.ascontiguousarray(stack[: z // 2, : y // 2, : x // 2]))
        if "flat" in wanted:
            self.save("flat", made.flat(stack[: z // 2], 16 if z >= 32 else 4))
        if "labels" in wanted:
            self.save("labels", made.labels((z // 2, y // 2, x)))
        if any(CASES[n].get("disk") for n in self.names):
            small = stack[: max(64, z // 2)]
            np.save(self.disk / "volume.npy", small)
        for name in self.names:
            if CASES[name]["kind"] == "floor":
                self.raw_levels(CASES[name]["data"], CASES[name]["method"])

    def save(self, name, array):
        np.save(self.dir / f"{name}.npy", array)
        array.tofile(self.dir / f"{name}.raw")

    def raw_levels(self, data, method):
        """The levels of the floor: what ngff itself makes, uncompressed."""
        if (data, method) in self.levels:
            return
        import zarr

        out = self.dir / "raw.zarr"
        self.launcher.run(self.bin / "ngff", "convert", self.dir / f"{data}.npy", out, "--dims",
                          "zyx", "--chunks", "64", "--scale-factors", "2,4,8", "--method", method,
                          "--codec", "none", "--layout", "flat", "--durability", "none", "-q")
        specs = []
        for n in range(4):
            array = zarr.open_array(out / str(n), mode="r")
            path = self.dir / (f"{data}.raw" if n == 0 else f"{data}.{method}.{n}.raw")
            if n:
                array[...].tofile(path)
            specs.append(f"{path}:" + ",".join(map(str, array.shape)))
        remove(out)
        self.levels[data, method] = specs

    # ---- one run of each kind --------------------------------------------------------------------

    def run_floor(self, case):
        out = self.dir / "floor.out"
        remove(out)
        item = "4" if case["data"] == "labels" else "2"
        run = self.launcher.run(self.bin / "bench_floor", out, FLOOR_CODECS[case["codec"]], 1,
                                item, "64,64,64", case["shard"], case["threads"],
                                *self.levels[case["data"], case["method"]])
        run["bytes"] = int(run.pop("text").split()[1])
        remove(out)
        return run

    def run_ours(self, case):
        place = self.disk if case["disk"] else self.dir
        out = place / f"ours{case['suffix']}"
        remove(out)
        run = self.launcher.run(self.bin / "ngff", "convert", place / f"{case['data']}.npy", out,
                                *convert_words(case))
        del run["text"]
        run["bytes"] = size_of(out)
        remove(out)
        return run

    def run_peer(self, name, case):
        place = self.disk if case["disk"] else self.dir
        if name not in self.peers:
            words = [sys.executable, pathlib.Path(__file__).parent / "peers.py", name,
                     place / f"{case['data']}.npy", place / "peer.out", "2"]
            # Spinning OpenMP threads cost acquire-zarr a multiple when others use the cores too.
            env = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive",
                   "RAYON_NUM_THREADS": "2"}
            self.peers[name] = subprocess.Popen(words, stdin=subprocess.PIPE, env=env, text=True,
                                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                                start_new_session=True)
            self.versions[name] = self.answer(name)["ready"]
        self.peers[name].stdin.write("go\n")
        self.peers[name].stdin.flush()
        return self.answer(name)

    def answer(self, name):
        line = self.peers[name].stdout.readline()
        if not line:
            raise SystemExit(f"bench: the peer {name} ended")
        return json.loads(line)

    # ---- all -------------------------------------------------------------------------------------

    def run(self):
        for turn in range(self.rounds + 1):
            for name in self.names if turn % 2 else self.names[::-1]:
                case = CASES[name]
                if case.get("rounds", 99) < turn or (turn == 0 and case["kind"] == "peer"):
                    continue
                if case["kind"] == "peer":
                    run = self.run_peer(name, case)
                else:
                    run = self.run_floor(case) if case["kind"] == "floor" else self.run_ours(case)
                if turn == 0:  # warms the page cache
                    continue
                self.runs[name].append(run)
                print(f"round {turn}: {name:32s} {run['wall']:8.3f} s {run['cpu']:8.3f} CPU s",
                      flush=True)

    def start_up(self):
        """Whole processes: the version, and an image of 64 x 64; the least and the median of 31."""
        np.save(self.dir / "small.npy", made.light_sheet((64, 64, 64))[0])
        out = self.dir / "small.zarr"
        convert = ["convert", self.dir / "small.npy", out, "--dims", "yx", "-q",
                   "--durability", "none"]
        result = {}
        for name, words in (("ngff --version", ["--version"]), ("64 x 64 image", convert)):
            times = []
            for _ in range(31):
                remove(out)
                times.append(self.launcher.run(self.bin / "ngff", *words)["wall"])
            result[name] = sorted(times)
        remove(out)
        return result

    def close(self):
        self.launcher.close()
        for process in self.peers.values():
            process.stdin.close()
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
        shutil.rmtree(self.disk, ignore_errors=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    work = ROOT / "build" / "bench"
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two rounds")
    parser.add_argument("--full", action="store_true",
                        help="also ngff-zarr's Gaussian on the whole volume (minutes)")
    parser.add_argument("--dir", default=str(work / "work"), help="inputs and outputs, emptied")
    parser.add_argument("--disk", default=str(work / "disk"), help="for the flushed comparison")
    parser.add_argument("--out", default=str(work), help="where the results go")
    parser.add_argument("--shape", default="256,1024,1024")
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin"))
    parser.add_argument("--only", default="", help="names of cases, separated by ;")
    return parser.parse_args()


def stop(number, frame):
    raise KeyboardInterrupt


def main():
    chosen = options()
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    bench = Bench(chosen)
    small = {}
    try:
        bench.prepare()
        small = bench.start_up()
        bench.run()
    except KeyboardInterrupt:
        print("bench: interrupted; this is what was measured", file=sys.stderr)
    finally:
        bench.close()
    result = {"shape": bench.shape, "dir": chosen.dir, "disk": chosen.disk, "runs": bench.runs,
              "versions": bench.versions, "start": small, "machine": report.machine()}
    out = pathlib.Path(chosen.out)
    out.mkdir(parents=True, exist_ok=True)
    text = report.table(result)
    (out / "result.md").write_text(text)
    (out / "result.json").write_text(json.dumps(result, indent=1))
    report.plot(result, out / "plot.png")
    print(text)


if __name__ == "__main__":
    main()
