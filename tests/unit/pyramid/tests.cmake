ngff_test(pyramid/levels)
ngff_test(pyramid/reduce)
ngff_test(pyramid/gauss)

# Sanitizers get one copy of each kernel, compiled for them. The copies for steps of 2, 3 and 4 that
# are released are other machine code: the same tests on them, without a sanitizer.
if(NGFF_SANITIZE STREQUAL "address,undefined")
  file(GLOB released CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/base/*.c
    ${PROJECT_SOURCE_DIR}/src/nd/*.c ${PROJECT_SOURCE_DIR}/src/pyramid/*.c)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    list(FILTER released EXCLUDE REGEX "_avx2")
  else()
    set_source_files_properties(${PROJECT_SOURCE_DIR}/src/pyramid/kernels_avx2.c
      PROPERTIES COMPILE_OPTIONS "-mavx2")
    set_source_files_properties(${PROJECT_SOURCE_DIR}/src/pyramid/kernels_choose.c
      PROPERTIES COMPILE_DEFINITIONS NGFF_PYRAMID_AVX2)
  endif()
  add_library(pyramid_released STATIC ${released})
  target_include_directories(pyramid_released PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(pyramid_released PRIVATE -O2 -ftree-vectorize -ffp-contract=off)
  foreach(name reduce gauss)
    add_executable(test_pyramid_released_${name} pyramid/${name}.c)
    target_include_directories(test_pyramid_released_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src
      ${PROJECT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_options(test_pyramid_released_${name} PRIVATE -O2)
    target_link_libraries(test_pyramid_released_${name} PRIVATE pyramid_released PkgConfig::CMOCKA m)
    add_test(NAME pyramid_released_${name} COMMAND test_pyramid_released_${name})
  endforeach()
endif()
