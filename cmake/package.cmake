# Run by CPack before it packs: man pages and change logs are gzipped, as Debian's policy asks (-n: no time stamp).
file(GLOB_RECURSE files ${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/*.1 ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/*.md)
foreach(file IN LISTS files)
  execute_process(COMMAND gzip -9n ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
