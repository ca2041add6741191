"""Tables and the plot of ./dev bench from its result (a dict, as in result.json).

    report.py RESULT.json      prints the tables again and draws plot.png beside it"""

import json
import os
import pathlib
import platform
import statistics
import sys

from cases import RATIOS, SCALING

MIB = 1 << 20


def machine():
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(l.split(":")[1].strip() for l in lines if l.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"processor": model, "cores": len(os.sched_getaffinity(0)),
            "system": platform.platform(), "load": os.getloadavg()[0]}


def values(result, name, key):
    return [run[key] for run in result["runs"].get(name, [])]


def spread(numbers):
    return statistics.median(numbers), min(numbers), max(numbers)


def quotients(result, over, under, key):
    """Round by round, so that both met the same load."""
    return [a / b for a, b in zip(values(result, over, key), values(result, under, key))]


def verdict(value, sign, limit):
    if not sign:
        return ""
    met = value <= limit if sign == "<=" else value >= limit
    return f"{sign} {limit:g}: {'met' if met else 'missed'}"


def ratio_lines(result):
    yield "| ratio | wall, median | min | max | CPU, median | rounds | target |"
    yield "|---|---|---|---|---|---|---|"
    for over, under, sign, limit in RATIOS:
        wall = quotients(result, over, under, "wall")
        if not wall:
            continue
        mid, low, high = spread(wall)
        cpu = statistics.median(quotients(result, over, under, "cpu"))
        yield (f"| {over} / {under} | {mid:.2f} | {low:.2f} | {high:.2f} | {cpu:.2f} | {len(wall)} | "
               f"{verdict(mid, sign, limit)} |")
    one, two, floor_one, floor_two, limit = SCALING
    gain = [a / b for a, b in zip(quotients(result, one, two, "wall"),
                                  quotients(result, floor_one, floor_two, "wall"))]
    if gain:
        mid, low, high = spread(gain)
        yield (f"| 2 threads over 1, ours / the floor's | {mid:.2f} | {low:.2f} | {high:.2f} | | "
               f"{len(gain)} | {verdict(mid, '>=', limit)} |")


def writer_lines(result):
    yield "| writer | wall s, median | min | max | CPU s, median | peak MiB | MiB written |"
    yield "|---|---|---|---|---|---|---|"
    for name, runs in result["runs"].items():
        if not runs:
            continue
        mid, low, high = spread(values(result, name, "wall"))
        cpu = statistics.median(values(result, name, "cpu"))
        peak = max(values(result, name, "peak"))
        yield (f"| {name} | {mid:.3f} | {low:.3f} | {high:.3f} | {cpu:.3f} | {peak / MIB:.0f} | "
               f"{runs[-1]['bytes'] / MIB:.0f} |")


def table(result):
    pixels = result["shape"][0] * result["shape"][1] * result["shape"][2]
    host = result["machine"]
    lines = [f"{host['processor']}, {host['cores']} cores, {host['system']}; load average at the end "
             f"{host['load']:.1f}",
             f"input: uint16 {result['shape']}, {pixels * 2 // MIB} MiB, in {result['dir']}; flushed "
             f"cases in {result['disk']}"]
    if result["runs"].get("ngff level 0 alone"):
        ratio = pixels * 2 / result["runs"]["ngff level 0 alone"][-1]["bytes"]
        inside = "inside" if 1.3 <= ratio <= 2.5 else "OUTSIDE"
        lines.append(f"compresses {ratio:.2f} : 1 with blosc-lz4 level 1 ({inside} 1.3 to 2.5)")
    lines += ["peers: " + ", ".join(sorted({f"{n.split()[0].rstrip(',')} {v}"
                                            for n, v in result["versions"].items()})), ""]
    lines += [*ratio_lines(result), "", *writer_lines(result), ""]
    for name, times in result["start"].items():
        lines.append(f"{name}: {statistics.median(times) * 1e3:.1f} ms, least "
                     f"{times[0] * 1e3:.1f} ms")
    return "\n".join(lines) + "\n"


def plot(result, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [n for n, runs in result["runs"].items() if runs]
    figure, axes = pyplot.subplots(figsize=(9, 0.3 * len(names) + 1.2))
    for at, name in enumerate(names[::-1]):
        mid, low, high = spread(values(result, name, "wall"))
        colour = "tab:blue" if name.startswith("ngff ") else (
            "tab:grey" if name.startswith("floor") else "tab:orange")
        axes.barh(at, mid, color=colour)
        axes.plot([low, high], [at, at], color="black", linewidth=1)
    axes.set_yticks(range(len(names)), names[::-1])
    axes.set_xscale("log")
    axes.set_xlabel("seconds, median; the line is from least to most")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1])
    loaded = json.loads(source.read_text())
    plot(loaded, source.with_name("plot.png"))
    print(table(loaded))
