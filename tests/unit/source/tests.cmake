ngff_test(source/npy)
ngff_test(source/memory)
# What the interoperability tests of sources run: a description and pixels, nothing more.
add_executable(source_dump source/source_dump.c)
target_include_directories(source_dump PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(source_dump PRIVATE ngff_static ngff_flags)
ngff_test(source/nifti)
ngff_test(source/tiff)
