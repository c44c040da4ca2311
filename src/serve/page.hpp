#pragma once
/// The files of the page, which are part of the program.
#include <string_view>

namespace bgt::serve {

struct PageFile {
    std::string_view path; ///< of the request
    std::string_view type;
    std::string_view content;
};

/// Null: there is none of this path.
const PageFile* page_file(std::string_view path);

} // namespace bgt::serve
