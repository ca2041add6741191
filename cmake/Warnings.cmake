# One place for the flags that every target of the project is compiled with.
add_library(ngff_flags INTERFACE)
target_compile_options(ngff_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wundef -Wcast-qual -fno-common
  -ffp-contract=off # the same bits on every SIMD path
  -fstack-protector-strong)
target_link_options(ngff_flags INTERFACE -Wl,-z,relro,-z,now)
if(NGFF_WERROR)
  target_compile_options(ngff_flags INTERFACE -Werror)
endif()
if(NGFF_COUNT_LOCKS)
  target_compile_definitions(ngff_flags INTERFACE NGFF_COUNT_LOCKS)
endif()
if(NGFF_SANITIZE)
  target_compile_options(ngff_flags INTERFACE -fsanitize=${NGFF_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ngff_flags INTERFACE -fsanitize=${NGFF_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_definitions(ngff_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
