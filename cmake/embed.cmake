# Writes a source file that holds the files of the page: cmake -DFOLDER=... -DOUT=... -P embed.cmake
file(GLOB files ${FOLDER}/*)
list(SORT files)
set(types html text/html js text/javascript css text/css svg image/svg+xml)
set(rows)
foreach(path IN LISTS files)
  get_filename_component(name ${path} NAME)
  get_filename_component(extension ${path} LAST_EXT)
  string(SUBSTRING ${extension} 1 -1 extension)
  list(FIND types ${extension} at)
  math(EXPR at "${at} + 1")
  list(GET types ${at} type)
  if(type MATCHES "^text")
    string(APPEND type "; charset=utf-8")
  endif()
  if(name STREQUAL index.html)
    set(name "")
  endif()
  file(READ ${path} content)
  string(APPEND rows "    {\"/${name}\", \"${type}\", R\"~page~(${content})~page~\"},\n")
endforeach()
file(WRITE ${OUT} "// Made by cmake/embed.cmake.
#include \"page.hpp\"

namespace bgt::serve {

namespace {

constexpr PageFile files[] = {
${rows}};

} // namespace

const PageFile* page_file(std::string_view path)
{
    for (const PageFile& one : files)
        if (one.path == path) return &one;
    return nullptr;
}

} // namespace bgt::serve
")
