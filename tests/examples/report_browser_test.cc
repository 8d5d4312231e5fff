// The reports as Chromium shows them.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <sstream>

#include "data/digits.h"
#include "examples/translator/report.h"
#include "tests/examples/program.h"
#include "tests/examples/small_report.h"
#include "tests/text.h"

using namespace mixtape;
using tests::TemporaryFolder;

namespace {

// Stands first in the page: forbids every request, notes every error, and in the end puts what it saw in the page's
// place. The window is as narrow as a phone's.
constexpr std::string_view kProbe = R"html(
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<script>
const errors = [];
addEventListener('error', event => errors.push(event.message || 'not loaded: ' + event.target.tagName), true);
addEventListener('unhandledrejection', event => errors.push('rejected: ' + event.reason));
addEventListener('securitypolicyviolation', event => errors.push('requested: ' + event.blockedURI));
function tipAt(selector) {
  const target = document.querySelector(selector);
  if (!target) return '';
  const box = target.getBoundingClientRect();
  target.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: box.left + 1, clientY: box.top + 1 }));
  return document.getElementById('tip').textContent.replaceAll('\n', ' ');
}
addEventListener('load', () => {
  const images = [...document.images], figures = [...document.querySelectorAll('figure')];
  const shown = figures.filter(figure => figure.offsetWidth > 0 && figure.textContent.startsWith('head '));
  const seen = {
    images: images.length,
    decoded: images.filter(image => image.naturalWidth > 0 && image.offsetWidth > 0).length,
    heads: shown.length,
    requests: performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith('data:')).length,
    sideways: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    charts: document.querySelectorAll('svg.chart .curve').length,
    curve: tipAt('.chart .hit'),
    count: tipAt('.counts .right, .counts .wrong'),
    errors: errors.join('; '),
  };
  const list = document.createElement('pre');
  list.textContent = Object.entries(seen).map(([name, value]) => `${name}=${value}\n`).join('');
  document.body.replaceChildren(list);
});
</script>
)html";

// The browser's path.
std::optional<std::string> find_browser() {
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

// What the probe saw, by name, and the browser's lines about the console.
struct Seen {
  std::string values, console;

  std::string text(const std::string& name) const {
    const auto found = tests::matches_of("(?:^|>)" + name + "=(.*)$", values);
    return found.empty() ? "missing" : found[0][1];
  }
  int64_t number(const std::string& name) const {
    const std::string digits = text(name);
    return digits == "missing" ? -1 : std::stoll(digits);
  }
};

Seen look_at(const std::string& browser, std::string page) {
  const std::string start = "<head>\n";
  page.insert(page.find(start) + start.size(), kProbe);
  const TemporaryFolder folder;
  const tests::Ended ended =
      tests::run_program({browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                          "--no-first-run", "--user-data-dir=" + folder.file("profile"), "--window-size=500,900",
                          "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0",
                          "--timeout=20000", "--dump-dom", "file://" + folder.write("page.html", page)});
  CHECK(ended.code == 0);
  Seen seen = {ended.output, ""};
  for (const auto& line : tests::matches_of("^.*CONSOLE.*$", ended.errors)) seen.console += line[0] + "\n";
  return seen;
}

void check_clean(const Seen& seen) {
  CHECK(seen.text("errors") == "");
  CHECK(seen.console == "");
  CHECK(seen.number("requests") == 0);
  CHECK(seen.number("sideways") == 0);
  CHECK(seen.number("decoded") == seen.number("images"));
}

std::string translator_report(const TemporaryFolder& folder) {
  const examples::RunFolder run = examples::RunFolder::create(folder.file("translator"));
  tests::write_metrics(run, 200);
  const std::vector<translator::Sample> samples = {{"the red cat", "die rote Katze", "die rote Katze"},
                                                   {"a <b>", "ein <b>", "ein \"b\""}};
  const data::Subwords subwords = data::Subwords::train({"the red cat", "die rote Katze"}, {.vocab = 300});
  translator::Preset preset = {.name = "small"};
  preset.model = {.vocab = subwords.vocab_size(), .width = 16, .heads = 2, .layers = 1, .feed_forward = 16};
  Random random(1);
  translator::write_report(run, {preset, subwords, nn::Transformer(preset.model, random)}, {.on = "test"}, samples);
  return read_file(run.report());
}

}  // namespace

TEST_CASE("reports in a browser: no error, no request, every picture and head is shown") {
  const std::optional<std::string> browser = find_browser();
  if (!browser) {
    MESSAGE("skipped: no chromium, chromium-browser or google-chrome in PATH");
    return;
  }
  const TemporaryFolder folder;

  SUBCASE("vit") {
    const examples::RunFolder run = examples::RunFolder::create(folder.file("vit"));
    const std::string page = tests::write_small_report(run, data::draw_digits(60, 1));
    CHECK(tests::matches_of("https?:", page).empty());
    const Seen seen = look_at(*browser, page);
    check_clean(seen);
    CHECK(seen.number("images") == 24 + 6 * 4 + 3 * 2);
    CHECK(seen.number("heads") == 6 * 2 + 3 * 2);
    CHECK(seen.number("charts") == 6);
    CHECK(seen.text("curve").starts_with("step 1 training"));
    CHECK(!tests::matches_of("^\\d → \\d: \\d+, [\\d.]+ %$", seen.text("count")).empty());
  }
  SUBCASE("translator") {
    const Seen seen = look_at(*browser, translator_report(folder));
    check_clean(seen);
    CHECK(seen.number("heads") == 2 * 3 * 2);  // samples, attentions, heads
    CHECK(seen.text("curve").starts_with("step 1 training"));
  }
  SUBCASE("a page that is at fault is found out") {
    const std::string page =
        "<!DOCTYPE html>\n<head>\n</head><body><p style=\"width:2000px\">wide</p><script>missing();</script>"
        "<img src=\"http://example.invalid/a.png\"><img src=\"data:image/png;base64,AAAA\">"
        "<figure hidden>head 1</figure></body>";
    const Seen seen = look_at(*browser, page);
    CHECK(seen.text("errors").find("missing is not defined") != std::string::npos);
    CHECK(seen.text("errors").find("requested: http://example.invalid/a.png") != std::string::npos);
    CHECK(seen.console.find("missing is not defined") != std::string::npos);
    CHECK(seen.number("images") == 2);
    CHECK(seen.number("decoded") == 0);
    CHECK(seen.number("heads") == 0);
    CHECK(seen.number("sideways") > 1000);
  }
}
