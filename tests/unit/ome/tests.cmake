ngff_test(ome/model)
ngff_test(ome/emit)
ngff_test(ome/parse)
ngff_test(ome/convert)
