"""Proves that the named cases of tests/interop/test_bugs.py can fail: for each class of defect, one change
to the code that brings it back, and the case that must then turn red.

    build/peers/bin/python tests/mutations.py [B4 …]

Works on a copy of the committed tree in build/mutants; takes some minutes. `./dev test mutations`."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
LEVELS, BLOCK, RUN = "src/pyramid/levels.c", "src/engine/block.c", "src/engine/run.c"

# bug: (file, text that occurs once, replacement, test)
MUTATIONS = {
    "B1": (BLOCK, "ngff_box_cells(&b->owned[n], l->chunk, &chunks);",
           "ngff_box_cells(&b->owned[n], l->chunk, &chunks); chunks.shape[0] = 1;", "B1_"),
    "B2": (BLOCK, "shard.shape[d] = l->per_shard[d];",
           "shard.shape[d] = d > 1 ? 1 : l->per_shard[d];", "B2_"),
    "B3": ("src/engine/plan.c", "*least = workers + (in->no_spill ? waiting : 0);",
           "*least = workers / 2; workers += in->budget / 4;", "B3_"),
    "B4": (LEVELS, "level->chunk[i] = ngff_min_i64(chunk[i], level->shape[i]);",
           "level->chunk[i] = ngff_min_i64(chunk[i], level->shape[i]);"
           "while (level->shape[i] % level->chunk[i] != 0) level->chunk[i]--;", "B4_"),
    "B5": (LEVELS, "level->sharded ? ngff_min_i64(r->per_shard[i], most) : 1;",
           "level->sharded ? ngff_min_i64(r->per_shard[i], most) : 1; if (level->sharded) "
           "level->chunk[i] = ngff_ceil_div(level->shape[i], level->per_shard[i]);", "B5_"),
    "B6": (LEVELS, "level->sharded ? ngff_min_i64(r->per_shard[i], most) : 1;",
           "level->sharded ? r->per_shard[i] + 0 * most : 1;", "B6_"),
    "B7": (LEVELS, "chunk[i] = r->chunk[i] > 0 ? r->chunk[i] : usual;",
           "chunk[i] = usual;", "B7_"),
    "B8": ("src/api/multiscales.c", "r->chunk[i] = o->chunks[i];",
           "r->chunk[i] = d->shape[i] / 7;", "B8_"),
    "B9": ("src/pyramid/kernels_impl.h", "#define STOREF(v) nearest_double(clamp_double(v, 0, UINT32_MAX))",
           "#define STOREF(v) nearest_double(clamp_double(v, 0, INT32_MAX))", "B9_"),
    "B10": (LEVELS, "while (level->source > 0 && !divides(",
            "while (level->source > 1 && !divides(", "B10_"),
    "B11": (LEVELS, "level->shape[i] = r->shape[i] / e;",
            "level->shape[i] = ngff_ceil_div(r->shape[i], e);", "B11_"),
    "B12": ("src/pyramid/automatic.c", "spatial(s, i) && s->size[i] / 2 >= s->chunk[i])",
            "spatial(s, i) && s->size[i] / 2 > s->chunk[i])", "B12_"),
    "B13": (LEVELS, ": 0.5 * (double)(e - 1);", ": 0.0 * (double)(e - 1);", "B13_"),
    "B14": ("src/pyramid/reduce.c", "ngff_gauss_need(step, r->src_shape[i], &src->start[i], &src->shape[i]);",
            "(void)r;", "B14_"),
    "B15": ("src/pyramid/reduce.c", "src->start[i] = dst->start[i] * step;",
            "src->start[i] = dst->start[i] * step + (dst->start[i] > 0);", "B15_"),
    "B16": (LEVELS, "level->shape[i] = r->shape[i] / e;",
            "level->shape[i] = (r->shape[i] + e / 2) / e;", "B16_"),
    "B18": (LEVELS, "level->chunk[i] = ngff_min_i64(chunk[i], level->shape[i]);",
            "level->chunk[i] = chunk[i];", "B18_"),
    "B19": ("src/store/spill.c", "ngff_file_pread(&s->file, out, size, file_off(ticket, off + part), &got,",
            "ngff_file_pread(&s->file, out, size, file_off(ticket, off + part) + (off > 0), &got,",
            "B19_"),
    "B21": ("src/store/open.c", "bool overlaps = is_within(absolute, s->path) || is_within(s->path, absolute);",
            "bool overlaps = false && is_within(absolute, s->path);", "B21_"),
    "B25": (RUN, "for (int i = 0; i < plan->tier_count; i++)",
            "for (int i = 0; i < plan->tier_count && i < 1; i++)", "B25_"),
    "B26": ("src/image/create.c", "meta->zarr_format = ngff_version_zarr_format(opts->version);",
            "meta->zarr_format = 3;", "B26_"),
    "B28": ("src/image/create.c", "NGFF_TRY(given_codec(opts, meta->zarr_format, meta->dtype, &given, err));",
            "ngff_image_create_opts plain = *opts; if (meta->sharded) plain.codec.level = -1; "
            "NGFF_TRY(given_codec(&plain, meta->zarr_format, meta->dtype, &given, err));", "B28_"),
    "B29": ("src/engine/plan.c", ".budget = opts->memory > 0 ? opts->memory : ngff_engine_default_budget(),",
            ".budget = ngff_engine_default_budget(),", "B29_"),
    "B33": ("src/ome/emit.c", "if (unit[0])", "if (unit[0] == 0) ngff_ome_put(out, \"unit\", "
            "ngff_json_new_null(), s); else", "B33_"),
    "B34": (LEVELS, "level->scale[i] = (double)e * r->scale[i];",
            "level->scale[i] = (double)e * (r->axis[i] == 't' ? 1.0 : r->scale[i]);", "B34_"),
    "B35": ("src/source/npy.c", "l->dtype = ngff_dtype_from_typestr(h.descr, &l->swap);",
            "l->dtype = ngff_dtype_from_typestr(h.descr, &l->swap); l->swap = false;", "B35_"),
}


def run(*words, **options):
    return subprocess.run([str(w) for w in words], check=False, **options)


def prepare():
    """A copy of the committed tree, built once, with asserts and without sanitizers."""
    COPY.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True,
                             stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(COPY), "-f", "-"], input=archive, check=True)
    run("cmake", "-S", COPY, "-B", COPY / "out", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_C_FLAGS_DEBUG=-O1", stdout=subprocess.DEVNULL)
    if run("ninja", "-C", COPY / "out", "ngff", stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit("mutations: the unchanged tree does not build")


def cases_pass(name):
    env = dict(os.environ, NGFF=str(COPY / "out" / "bin" / "ngff"))
    done = run(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", name,
               ROOT / "tests" / "interop" / "test_bugs.py", env=env, stdout=subprocess.PIPE)
    if done.returncode == 5:
        sys.exit(f"mutations: no case named {name}")
    return done.returncode == 0


def mutate(bug):
    """True when the case is green before the change and red with it."""
    name, before, after, case = MUTATIONS[bug]
    path = COPY / name
    text = path.read_text()
    pattern = r"\s+".join(re.escape(word) for word in before.split())
    if len(re.findall(pattern, text)) != 1:
        print(f"{bug}: FAIL: {name} does not hold the text to change exactly once")
        return False
    path.write_text(re.sub(pattern, lambda _: after, text))
    try:
        built = run("ninja", "-C", COPY / "out", "ngff", stdout=subprocess.PIPE)
        if built.returncode != 0:
            print(f"{bug}: FAIL: the change does not compile\n{built.stdout.decode()[-600:]}")
            return False
        red = not cases_pass(case)
    finally:
        path.write_text(text)
    print(f"{bug}: {'ok, red' if red else 'FAIL: still green'}: {name}: {before} -> {after}", flush=True)
    return red


def main():
    prepare()
    wanted = sys.argv[1:] or list(MUTATIONS)
    if not cases_pass("test_B"):
        sys.exit("mutations: the cases are not green before any change")
    failed = [bug for bug in wanted if not mutate(bug)]
    print(f"{len(wanted) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
