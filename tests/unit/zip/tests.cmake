ngff_test(zip/emit)
ngff_test(zip/hostile)
ngff_test(zip/crc)
