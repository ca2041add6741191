ngff_test(base/error)
ngff_test(base/memory)
ngff_test(base/text)
ngff_test(base/number)
