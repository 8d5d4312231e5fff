#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autograd/json.h"

namespace mixtape::attention_lab {

/// A file of the folder page/, as the build put it into the program.
struct PageFile {
  std::string_view name, text;
};
const std::vector<PageFile>& page_files();

/// page.html with page.css, the scripts and the document in place of `/*STYLE*/`, `/*SCRIPT*/` and `/*DATA*/`: one file
/// that needs no network.
std::string make_page(const Json& document);

}  // namespace mixtape::attention_lab
