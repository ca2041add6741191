/* Writes an image larger than memory from a callback that computes pixels on demand, and
 * reads a box of a coarse level back. */
#include <ngff/ngff.h>
#include <stdio.h>

/* A ramp along x plus a checkerboard along z: any box, from any thread. */
static ngff_status fill(void *cookie, const ngff_box *box, const ngff_view *out,
                        ngff_error *err) {
    (void)cookie;
    (void)err;
    for (int64_t z = 0; z < box->shape[0]; z++)
        for (int64_t y = 0; y < box->shape[1]; y++) {
            char *row = (char *)out->data + z * out->strides[0] + y * out->strides[1];
            for (int64_t x = 0; x < box->shape[2]; x++)
                *(uint8_t *)(row + x * out->strides[2]) =
                    (uint8_t)((box->start[2] + x) / 8 + (box->start[0] + z) % 2 * 100);
        }
    return NGFF_OK;
}

static int show_corner(ngff_context *context, const char *location, ngff_error *err) {
    ngff_store *store = NULL;
    ngff_multiscales *image = NULL;
    uint8_t pixels[4] = {0};
    ngff_box box = {3, {0, 0, 0}, {1, 1, 4}};
    ngff_view view = {pixels, NGFF_UINT8, 3, {1, 1, 4}, {4, 4, 1}};
    int ok = ngff_store_open(context, location, NULL, &store, err) == 0 &&
             ngff_open(context, store, &image, err) == 0 &&
             ngff_read_region(image, 1, &box, &view, err) == 0;
    if (ok)
        printf("level 1 begins with %d %d %d %d\n", pixels[0], pixels[1], pixels[2],
               pixels[3]);
    ngff_multiscales_close(&image);
    ngff_store_close(&store);
    return ok;
}

int main(int argc, char **argv) {
    ngff_error err = {0};
    ngff_context *context = NULL;
    ngff_source *source = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *levels = NULL;
    ngff_store_opts to = NGFF_STORE_OPTS_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    ngff_source_ops ops = {sizeof ops, fill, NULL, 1, {0}};
    ngff_image_desc image = NGFF_IMAGE_DESC_INIT;

    image.dtype = NGFF_UINT8;
    image.ndim = 3;
    image.shape[0] = 64;
    image.shape[1] = 512;
    image.shape[2] = 512;
    to.access = NGFF_ACCESS_WRITE;
    plan.method = "bin_shrink";
    int ok = argc == 2 && ngff_context_create(NULL, &context, &err) == 0 &&
             ngff_source_from_callback(context, &ops, NULL, &image, &source, &err) == 0 &&
             ngff_source_describe(source, &image, &err) == 0 &&
             ngff_multiscales_plan(context, &image, &plan, &levels, &err) == 0 &&
             ngff_store_open(context, argv[1], &to, &store, &err) == 0 &&
             ngff_write(context, store, levels, source, NULL, NULL, &err) == 0;
    ngff_store_close(&store);
    ok = ok && show_corner(context, argv[1], &err);
    if (!ok)
        fprintf(stderr, "%s\n",
                argc == 2 ? err.message : "usage: callback_source OUT.ome.zarr");
    ngff_multiscales_close(&levels);
    ngff_source_close(&source);
    ngff_context_close(&context);
    return ok ? 0 : 1;
}
