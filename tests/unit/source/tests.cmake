ngff_test(source/npy)
ngff_test(source/memory)
