ngff_test(api/regions)
ngff_test(api/levels)
ngff_test(api/join)
ngff_test(api/append)
