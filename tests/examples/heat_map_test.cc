#include "examples/common/heat_map.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;
using namespace mixtape::examples;

namespace {

const HeatMap kMap = {"head 1", {"der", "<b>"}, {"the", "dog", "\"x\""}, {0.25F, 0.75F, 0, 0.1F, 0.2F, 0.7F}};

}  // namespace

TEST_CASE("heat_map: a cell for each value that can be seen, shaded by value") {
  const std::string html = heat_map(kMap).markup;
  CHECK(occurrences(html, "<path ") == 5);
  CHECK(contains(html, "<path opacity=\"0.75\""));
  HeatMap scaled = kMap;
  scaled.highest = 0.75F;
  CHECK(contains(heat_map(scaled).markup, "<path opacity=\"1\""));
}

TEST_CASE("heat_map: labels and values for the pointer, a text form for readers, all escaped") {
  const std::string html = heat_map(kMap).markup;
  CHECK(contains(html, "data-rows=\"[&quot;der&quot;,&quot;&lt;b&gt;&quot;]\""));
  CHECK(contains(html, "data-values=\"0.25 0.75 0 0.1 0.2 0.7\""));
  CHECK(contains(html, "<li>der → dog 0.75, the 0.25, &quot;x&quot; 0.00</li>"));
  CHECK(contains(html, "<li>&lt;b&gt; → &quot;x&quot; 0.70, dog 0.20, the 0.10</li>"));
  CHECK(!contains(html, "<b>"));
}

TEST_CASE("heat_map: long labels are cut between letters") {
  HeatMap map = {"t", {"ÄÖÜäöüÄÖÜäöüÄÖÜ"}, {"a"}, {1}};
  CHECK(contains(heat_map(map).markup, ">ÄÖÜäöüÄÖÜäö…</text>"));
}

TEST_CASE("heat_map: sizes must fit") {
  HeatMap map = kMap;
  map.values.pop_back();
  CHECK_THROWS_WITH_AS(heat_map(map), "heat_map: 5 values for 2 rows and 3 columns in \"head 1\"", Error);
  map = kMap;
  map.highest = 0;
  CHECK_THROWS_AS(heat_map(map), Error);
  CHECK_NOTHROW(heat_map({"empty", {}, {}, {}}));
}

TEST_CASE("heat_maps: one figure a map") { CHECK(occurrences(heat_maps({kMap, kMap, kMap}).markup, "<figure>") == 3); }
