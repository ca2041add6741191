/* Writes a buffer as an OME-Zarr pyramid: what a program with pixels in memory needs. */
#include <ngff/ngff.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    enum { Z = 40, Y = 300, X = 200 };
    uint16_t *pixels = malloc(sizeof *pixels * Z * Y * X);
    for (size_t i = 0; pixels != NULL && i < (size_t)Z * Y * X; i++)
        pixels[i] = (uint16_t)(i * i * 2654435761u >> 20);

    ngff_error err = {0};
    ngff_context *context = NULL;
    ngff_source *source = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *levels = NULL;
    ngff_store_opts to = NGFF_STORE_OPTS_INIT;
    ngff_view view = {pixels, NGFF_UINT16, 3, {Z, Y, X}, {Y * X * 2, X * 2, 2}};
    ngff_image_desc image = NGFF_IMAGE_DESC_INIT;

    to.access = NGFF_ACCESS_WRITE;
    int ok =
        pixels != NULL && argc == 2 && ngff_context_create(NULL, &context, &err) == 0 &&
        ngff_source_from_array(context, &view, NULL, NULL, NULL, &source, &err) == 0 &&
        ngff_source_describe(source, &image, &err) == 0;
    image.axes[0].scale = 2.0; /* z; y and x stay 1.0 */
    ok = ok && ngff_multiscales_plan(context, &image, NULL, &levels, &err) == 0 &&
         ngff_store_open(context, argv[1], &to, &store, &err) == 0 &&
         ngff_write(context, store, levels, source, NULL, NULL, &err) == 0;
    if (!ok)
        fprintf(stderr, "%s\n",
                argc == 2 ? err.message : "usage: write_buffer OUT.ome.zarr");
    ngff_multiscales_close(&levels);
    ngff_store_close(&store);
    ngff_source_close(&source);
    ngff_context_close(&context);
    free(pixels);
    return ok ? 0 : 1;
}
