ngff_test(engine/run)
ngff_test(engine/blocks)
