#include "data/chrf.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/tensors/error.h"
#include "tests/data/sacrebleu_cases.h"

using namespace mixtape;
using Lines = std::vector<std::string>;

TEST_CASE("chrf: equals sacreBLEU on the golden cases") {
  const Json golden = tests::sacrebleu_cases();
  const std::string version = "version:" + golden.at("sacrebleu").get<std::string>();
  const auto& cases = golden.at("cases").get<Json::Array>();
  CHECK(cases.size() == 30);
  for (const Json& item : cases) {
    CAPTURE(item.at("name").get<std::string>());
    const data::ChrfScore score =
        data::chrf(tests::lines_of(item.at("hypotheses")), tests::lines_of(item.at("references")));
    CHECK(score.score == doctest::Approx(item.at("chrf").number()).epsilon(1e-9));
    auto signature = item.at("chrf_signature").get<std::string>();
    CHECK(data::chrf_signature() == signature.replace(signature.find(version), version.size(), "version:mixtape"));
  }
}

TEST_CASE("chrf: by hand") {
  // 2 of 3 characters and 1 of 2 pairs on both sides, no triple: the mean of 2/3, 1/2 and 0
  const data::ChrfScore score = data::chrf({"a b x"}, {"abc"});
  CHECK(score.precision == doctest::Approx((2.0 / 3 + 0.5) / 3));
  CHECK(score.recall == doctest::Approx(score.precision));
  CHECK(score.score == doctest::Approx(100 * score.precision));
}

TEST_CASE("chrf: prints as sacreBLEU does") {
  CHECK(data::chrf({"gut"}, {"gut"}).to_string() ==
        "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:mixtape = 100.00");
}

TEST_CASE("chrf: refuses what has no score") {
  CHECK_THROWS_WITH_AS(data::chrf({"a"}, {}), "chrf: 1 hypotheses, but 0 references", Error);
  CHECK_THROWS_WITH_AS(data::chrf({}, {}), "chrf: there are no sentences", Error);
  CHECK_THROWS_WITH_AS(data::chrf({"a"}, {"\xC3"}), "text: byte 1 of 1 is not UTF-8", Error);
}
