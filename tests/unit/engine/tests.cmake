ngff_test(engine/run)
