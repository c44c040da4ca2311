# `cmake --install build/release` and the Debian package: binary, man pages, completions, licence.
file(GLOB man_pages CONFIGURE_DEPENDS man/*.1)
install(FILES ${man_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/bgt.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME bgt)
install(FILES completions/_bgt DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/bgt.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# Without XDG_DATA_DIRS, as in a login by ssh, fish does not look below /usr/local, but at the administrator's completions.
install(CODE "if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr/local\")
  file(INSTALL \"${CMAKE_SOURCE_DIR}/completions/bgt.fish\" DESTINATION /etc/fish/completions)
endif()")
install(FILES README.md CHANGELOG.md docs/schema.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# `cmake --build --preset release --target package` writes build/release/bgt_VERSION_ARCH.deb.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bgt)
set(CPACK_PACKAGE_VENDOR "The bgt authors")
set(CPACK_PACKAGE_CONTACT "The bgt authors <bgt@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "background tasks that answer for themselves")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Starts shell commands in the background as tracked tasks: their output is kept, their
exit status is recorded even when nobody waits for it, and ending a task ends every
process that it has started, daemons included. There is no daemon and nothing to set up.")
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/package.cmake)
# A static binary depends on nothing; a package of any other build asks for the libraries that it was linked with.
if(NOT BGT_STATIC)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
# CMake's list of installed files belongs to root after `sudo cmake --install`; the owner of the folder can still remove it.
install(CODE "file(REMOVE \"${CMAKE_BINARY_DIR}/install_manifest.txt\")")
