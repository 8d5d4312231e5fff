#include "data/bleu.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "autograd/tensors/error.h"
#include "tests/data/sacrebleu_cases.h"

using namespace mixtape;
using Lines = std::vector<std::string>;

TEST_CASE("bleu: equals sacreBLEU on the golden cases") {
  const Json golden = tests::sacrebleu_cases();
  const std::string version = "version:" + golden.at("sacrebleu").get<std::string>();
  const auto& cases = golden.at("cases").get<Json::Array>();
  CHECK(cases.size() == 30);
  for (const Json& item : cases) {
    CAPTURE(item.at("name").get<std::string>());
    const data::BleuScore score =
        data::bleu(tests::lines_of(item.at("hypotheses")), tests::lines_of(item.at("references")));
    CHECK(score.score == doctest::Approx(item.at("bleu").number()).epsilon(1e-9));
    CHECK(score.brevity_penalty == doctest::Approx(item.at("brevity_penalty").number()).epsilon(1e-9));
    CHECK(score.hypothesis_length == item.at("hypothesis_length").get<int64_t>());
    CHECK(score.reference_length == item.at("reference_length").get<int64_t>());
    for (size_t n = 0; n < 4; ++n) {
      CHECK(score.precisions[n] ==
            doctest::Approx(item.at("precisions").get<Json::Array>().at(n).number()).epsilon(1e-9));
    }
    auto line = item.at("bleu_line").get<std::string>();
    CHECK(score.to_string() == line.replace(line.find(version), version.size(), "version:mixtape"));
    auto signature = item.at("bleu_signature").get<std::string>();
    CHECK(data::bleu_signature() == signature.replace(signature.find(version), version.size(), "version:mixtape"));
  }
}

TEST_CASE("bleu: 13a cuts ASCII punctuation, but not inside numbers") {
  CHECK(data::tokenize_13a("Er zahlte 1.000,50 Euro (etwa 5-7 %).") ==
        Lines{"Er", "zahlte", "1.000,50", "Euro", "(", "etwa", "5", "-", "7", "%", ")", "."});
  CHECK(data::tokenize_13a("„Ja“, sagte sie &amp; ging") == Lines{"„Ja“", ",", "sagte", "sie", "&", "ging"});
  CHECK(data::tokenize_13a(" \t ").empty());
}

TEST_CASE("bleu: by hand") {
  // 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples; 5 words against 5
  const data::BleuScore score = data::bleu({"a b c d x"}, {"a b c d e"});
  CHECK(score.score == doctest::Approx(100 * std::pow(0.8 * 0.75 * (2.0 / 3) * 0.5, 0.25)));
  CHECK(score.brevity_penalty == 1);
}

TEST_CASE("bleu: refuses what has no score") {
  CHECK_THROWS_WITH_AS(data::bleu({"a"}, {"a", "b"}), "bleu: 1 hypotheses, but 2 references", Error);
  CHECK_THROWS_WITH_AS(data::bleu({}, {}), "bleu: there are no sentences", Error);
  CHECK_THROWS_WITH_AS(data::bleu({"a \xFF"}, {"a"}), "text: byte 3 of 3 is not UTF-8", Error);
}
