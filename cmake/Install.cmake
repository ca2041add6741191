# Header, library, command, man page, ngff.pc and the CMake package `ngff` (target ngff::ngff).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS ngff_shared EXPORT ngff_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT library)
install(TARGETS ngff RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT command)
install(DIRECTORY include/ngff DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES docs/man/ngff.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT command)
set_target_properties(ngff_shared PROPERTIES EXPORT_NAME ngff)
install(EXPORT ngff_targets NAMESPACE ngff:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ngff
  FILE ngff-config.cmake COMPONENT library)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ngff-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ngff-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ngff COMPONENT library)
configure_file(cmake/ngff.pc.in ngff.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ngff.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT library)
