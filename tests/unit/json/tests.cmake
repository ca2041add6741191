ngff_test(json/parse)
ngff_test(json/hostile)
ngff_test(json/tree)
