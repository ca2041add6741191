ngff_test(nd/dtype)
ngff_test(nd/box)
ngff_test(nd/view)
ngff_test(nd/copy)
