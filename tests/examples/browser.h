#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/examples/program.h"
#include "tests/text.h"

namespace mixtape::tests {

/// The path of a Chromium, if one is installed.
inline std::optional<std::string> find_browser() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string file = folder + "/" + name;
      if (access(file.c_str(), X_OK) == 0) return file;
    }
  }
  return std::nullopt;
}

// Stands first in a page: forbids every request, notes every error, and shows what was seen in the page's place.
inline constexpr std::string_view kWatch = R"html(
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<script>
const errors = [];
addEventListener('error', event => errors.push(event.message || 'not loaded: ' + event.target.tagName), true);
addEventListener('unhandledrejection', event => errors.push('rejected: ' + event.reason));
addEventListener('securitypolicyviolation', event => errors.push('requested: ' + event.blockedURI));
const sideways = () => Math.max(0, document.documentElement.scrollWidth - innerWidth);
function show(seen, lines = []) {
  const images = [...document.images];
  Object.assign(seen, {
    images: images.length,
    decoded: images.filter(image => image.naturalWidth > 0 && image.offsetWidth > 0).length,
    requests: performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith('data:')).length,
    sideways: sideways(),
    errors: errors.join('; '),
  });
  const list = document.createElement('pre'), more = document.createElement('pre');
  list.textContent = Object.entries(seen).map(([name, value]) => `${name}=${value}\n`).join('');
  more.textContent = '\nLINES\n' + lines.join('\n');
  document.body.replaceChildren(list, more);
}
</script>
)html";

/// What a probe saw: values by name, other lines, and what the browser said about the console.
struct Seen {
  std::string values, console;
  std::vector<std::string> lines;

  std::string text(const std::string& name) const {
    const auto found = matches_of("(?:^|>)" + name + "=(.*)$", values);
    return found.empty() ? "missing" : found[0][1];
  }
  int64_t number(const std::string& name) const {
    const std::string digits = text(name);
    return digits == "missing" ? -1 : std::stoll(digits);
  }
};

/// Opens a page with `probe` in its head, in a window as narrow as a phone's. In the end, at the latest after `budget`
/// milliseconds of the page's own time, the probe calls show({name: value, ...}, [line, ...]).
inline Seen look_at(const std::string& browser, std::string page, std::string_view probe, int64_t budget = 0) {
  const std::string start = "<head>\n";
  page.insert(page.find(start) + start.size(), std::string(kWatch) + std::string(probe));
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {browser,
                                        "--headless",
                                        "--no-sandbox",
                                        "--disable-gpu",
                                        "--disable-dev-shm-usage",
                                        "--no-first-run",
                                        "--user-data-dir=" + folder.file("profile"),
                                        "--window-size=500,900",
                                        "--host-resolver-rules=MAP * ~NOTFOUND",
                                        "--enable-logging=stderr",
                                        "--v=0",
                                        "--timeout=60000",
                                        "--dump-dom"};
  if (budget > 0) arguments.push_back("--virtual-time-budget=" + std::to_string(budget));
  arguments.push_back("file://" + folder.write("page.html", page));
  const Ended ended = run_program(arguments);
  CHECK(ended.code == 0);
  const size_t end = ended.output.find("\nLINES\n");
  Seen seen = {ended.output.substr(0, end), "", {}};
  std::istringstream lines(end == std::string::npos ? "" : ended.output.substr(end + 7));
  for (std::string line; std::getline(lines, line);) seen.lines.push_back(line);
  for (const auto& line : matches_of("^.*CONSOLE.*$", ended.errors)) seen.console += line[0] + "\n";
  return seen;
}

/// Nothing went wrong, nothing was asked of a network, nothing is wider than the window, every picture is seen.
inline void check_clean(const Seen& seen) {
  CHECK(seen.text("errors") == "");
  CHECK(seen.console == "");
  CHECK(seen.number("requests") == 0);
  CHECK(seen.number("sideways") == 0);
  CHECK(seen.number("decoded") == seen.number("images"));
}

}  // namespace mixtape::tests
