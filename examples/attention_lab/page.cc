#include "examples/attention_lab/page.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::attention_lab {
namespace {

// The files of one type, concatenated in the order of the build.
std::string all_of(std::string_view suffix) {
  std::string all;
  for (const PageFile& file : page_files())
    if (file.name.ends_with(suffix)) all += file.text;
  return all;
}

void replace(std::string& page, std::string_view place, std::string_view text) {
  const size_t at = page.find(place);
  if (at == std::string::npos) fail(fmt::format("page: page.html has no {}", place));
  page.replace(at, place.size(), text);
}

// `</script` and `<!--` have a meaning within a script element; in JSON, < can be escaped.
std::string inside_script(const std::string& json) {
  std::string text;
  for (char c : json) text += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return text;
}

}  // namespace

std::string make_page(const Json& document) {
  std::string page = all_of(".html");
  replace(page, "/*STYLE*/", all_of(".css"));
  replace(page, "/*SCRIPT*/", all_of(".js"));
  replace(page, "/*DATA*/", inside_script(to_text(document)));
  return page;
}

}  // namespace mixtape::attention_lab
