#!/bin/sh
# embed.sh FILE...: prints a C++ file that holds each FILE as a raw string literal, for page.h.
set -e
echo '#include "examples/attention_lab/page.h"'
echo 'namespace mixtape::attention_lab {'
echo 'const std::vector<PageFile>& page_files() {'
echo '  static const std::vector<PageFile> files = {'
for file in "$@"; do
  printf '{"%s", R"mixtape_page(' "$(basename "$file")"
  cat "$file"
  printf ')mixtape_page"},\n'
done
echo '  };'
echo '  return files;'
echo '}'
echo '}  // namespace mixtape::attention_lab'
