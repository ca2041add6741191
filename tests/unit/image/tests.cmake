ngff_test(image/create)
ngff_test(image/open)
ngff_test(image/overwrite)
ngff_test(image/source)
