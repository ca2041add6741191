ngff_test(zip/emit)
ngff_test(zip/hostile)
