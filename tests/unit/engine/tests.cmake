ngff_test(engine/run)
ngff_test(engine/blocks)
ngff_test(engine/read)
