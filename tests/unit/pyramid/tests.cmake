ngff_test(pyramid/levels)
ngff_test(pyramid/reduce)
ngff_test(pyramid/gauss)
