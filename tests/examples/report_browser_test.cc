// The reports as Chromium shows them.
#include <doctest/doctest.h>

#include <optional>

#include "data/digits.h"
#include "examples/translator/report.h"
#include "tests/examples/browser.h"
#include "tests/examples/small_report.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

constexpr std::string_view kProbe = R"html(
<script>
function tipAt(selector) {
  const target = document.querySelector(selector);
  if (!target) return '';
  const box = target.getBoundingClientRect();
  target.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: box.left + 1, clientY: box.top + 1 }));
  return document.getElementById('tip').textContent.replaceAll('\n', ' ');
}
addEventListener('load', () => {
  const figures = [...document.querySelectorAll('figure')];
  show({
    heads: figures.filter(figure => figure.offsetWidth > 0 && figure.textContent.startsWith('head ')).length,
    charts: document.querySelectorAll('svg.chart .curve').length,
    curve: tipAt('.chart .hit'),
    count: tipAt('.counts .right, .counts .wrong'),
  });
});
</script>
)html";

std::string translator_report(const TemporaryFolder& folder) {
  const examples::RunFolder run = examples::RunFolder::create(folder.file("translator"));
  tests::write_metrics(run, 200);
  const std::vector<translator::Sample> samples = {{"the red cat", "die rote Katze", "die rote Katze"},
                                                   {"a <b>", "ein <b>", "ein \"b\""}};
  const data::Subwords subwords = data::Subwords::train({"the red cat", "die rote Katze"}, {.vocab = 300});
  translator::Preset preset = {.name = "small"};
  preset.model = {.vocab = subwords.vocab_size(), .block = {.width = 16, .heads = 2, .feed_forward = 16}, .layers = 1};
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
    const Seen seen = look_at(*browser, page, kProbe);
    check_clean(seen);
    CHECK(seen.number("images") == 24 + 6 * 4 + 3 * 2);
    CHECK(seen.number("heads") == 6 * 2 + 3 * 2);
    CHECK(seen.number("charts") == 6);
    CHECK(seen.text("curve").starts_with("step 1 training"));
    CHECK(!tests::matches_of("^\\d → \\d: \\d+, [\\d.]+ %$", seen.text("count")).empty());
  }
  SUBCASE("translator") {
    const Seen seen = look_at(*browser, translator_report(folder), kProbe);
    check_clean(seen);
    CHECK(seen.number("heads") == 2 * 3 * 2);  // samples, attentions, heads
    CHECK(seen.text("curve").starts_with("step 1 training"));
  }
  SUBCASE("a page that is at fault is found out") {
    const std::string page =
        "<!DOCTYPE html>\n<head>\n</head><body><p style=\"width:2000px\">wide</p><script>missing();</script>"
        "<img src=\"http://example.invalid/a.png\"><img src=\"data:image/png;base64,AAAA\">"
        "<figure hidden>head 1</figure></body>";
    const Seen seen = look_at(*browser, page, kProbe);
    CHECK(seen.text("errors").find("missing is not defined") != std::string::npos);
    CHECK(seen.text("errors").find("requested: http://example.invalid/a.png") != std::string::npos);
    CHECK(seen.console.find("missing is not defined") != std::string::npos);
    CHECK(seen.number("images") == 2);
    CHECK(seen.number("decoded") == 0);
    CHECK(seen.number("heads") == 0);
    CHECK(seen.number("sideways") > 1000);
  }
}
