add_executable(zarr_driver zarr/driver.c)
target_include_directories(zarr_driver PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(zarr_driver PRIVATE ngff_static ngff_flags)
target_compile_options(zarr_driver PRIVATE -Wno-missing-prototypes -Wno-conversion)
