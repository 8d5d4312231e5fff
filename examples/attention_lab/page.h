#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autograd/files/json.h"

namespace mixtape::attention_lab {

/// A file of the folder page/, embedded by the build.
struct PageFile {
  std::string_view name, text;
};
const std::vector<PageFile>& page_files();

/// page.html with page.css, the scripts and the document in place of `/*STYLE*/`, `/*SCRIPT*/` and `/*DATA*/`: one
/// self-contained file.
std::string make_page(const Json& document);

}  // namespace mixtape::attention_lab
