/* An OME-XML document: what it says of the images in it stays inside its own lists. */
#include "fuzz.h"
#include "source/ome_xml.h"

static void check(const ngff_ome_xml *x) {
    for (size_t i = 0; i < x->image_count; i++) {
        const ngff_xml_image *image = &x->images[i];
        FUZZ_CHECK(image->channel_first <= x->channel_count &&
                   image->channel_count <= x->channel_count - image->channel_first);
        FUZZ_CHECK(image->data_first <= x->data_count &&
                   image->data_count <= x->data_count - image->data_first);
        FUZZ_CHECK(strlen(ngff_ome_xml_text(x, image->name)) < x->text.size + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ngff_error err = {0};
    ngff_ome_xml x = {0};
    ngff_status status = ngff_ome_xml_parse(NULL, (const char *)data, size, &x, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    else
        check(&x);
    ngff_ome_xml_reset(&x);
    return 0;
}
