#include "examples/common/plan.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace mixtape::examples;

namespace {

const Json kSettings = {
    {"tokens", 2048}, {"rate", 0.5}, {"schedule", "cosine"}, {"model", {{"width", 64}, {"deep", true}}}};

Config written(const tests::TemporaryFolder& folder, const Json& values) {
  write_json(folder.file("config.json"), values);
  return Config(folder.file("config.json"));
}

}  // namespace

TEST_CASE("with_settings: changes what is named, and nothing else") {
  CHECK(with_settings(kSettings, {}) == kSettings);
  const Json changed =
      with_settings(kSettings, {"tokens=512", "rate=2", "schedule=flat", "model.width=8", "model.deep=false"});
  CHECK(changed ==
        Json{{"tokens", 512}, {"rate", 2}, {"schedule", "flat"}, {"model", {{"width", 8}, {"deep", false}}}});
}

TEST_CASE("with_settings: refuses what is not there or not of its kind") {
  CHECK_THROWS_WITH_AS(
      with_settings(kSettings, {"colour=red"}),
      "--set colour=red: no setting colour, expected one of model.deep, model.width, rate, schedule, tokens", Error);
  CHECK_THROWS_WITH_AS(with_settings(kSettings, {"tokens"}), "--set tokens: expected NAME=VALUE", Error);
  CHECK_THROWS_WITH_AS(with_settings(kSettings, {"tokens=0.5"}), "--set tokens=0.5: expected a whole number", Error);
  CHECK_THROWS_WITH_AS(with_settings(kSettings, {"rate=fast"}), "--set rate=fast: expected a number", Error);
  CHECK_THROWS_WITH_AS(with_settings(kSettings, {"model.deep=1"}), "--set model.deep=1: expected true or false", Error);
  CHECK_THROWS_AS(with_settings(kSettings, {"model=1"}), Error);
  CHECK_THROWS_AS(with_settings(kSettings, {"=1"}), Error);
}

TEST_CASE("Plan: what was asked for, and what a run holds") {
  const tests::TemporaryFolder folder;
  TrainOptions options;
  options.data = "toy";
  options.seed = 7;
  const Plan plan = new_plan(options, 12);
  CHECK(plan.epochs == 12);
  CHECK(plan.seed == 7);
  const Config config = written(folder, to_json(plan, "translator"));

  TrainOptions again;
  again.data = "toy";
  CHECK(read_plan(config, "translator", again).epochs == 12);
  CHECK(read_plan(config, "translator", again).seed == 7);
  again.steps = 30;
  const Plan longer = read_plan(config, "translator", again);
  CHECK(longer.steps == 30);
  CHECK(longer.epochs == 0);
  CHECK_THROWS_AS(read_plan(config, "vit", again), Error);
  again.dtype = "bf16";
  CHECK_THROWS_AS(read_plan(config, "translator", again), Error);
  again.dtype = "f32";
  CHECK(read_plan(config, "translator", again).dtype == f32);
  TrainOptions mixed = options;
  mixed.dtype = "bf16";
  const Config other = written(folder, to_json(new_plan(mixed, 3), "translator"));
  CHECK(read_plan(other, "translator", options).dtype == bf16);
  again.data = "multi30k";
  CHECK_THROWS_AS(read_plan(config, "translator", again), Error);
  again.data = "toy";
  again.settings = {"tokens=5"};
  CHECK_THROWS_AS(read_plan(config, "translator", again), Error);
}

TEST_CASE("RateSchedule: rises, falls, and waits for a total") {
  const RateSchedule cosine{.peak = 2, .warmup = 10};
  CHECK(cosine(5, 100) == doctest::Approx(1));
  CHECK(cosine(10, 100) == doctest::Approx(2));
  CHECK(cosine(100, 100) == doctest::Approx(2.0 / 50));
  CHECK(cosine(50, 0) == 2);
  CHECK(cosine(5, 0) == doctest::Approx(1));
  CHECK(cosine(5, 20) == doctest::Approx(2));  // a quarter of the total at most
  CHECK(cosine(1, 1) > 0);
  const RateSchedule root{.name = "inverse-square-root", .peak = 2, .warmup = 10};
  CHECK(root(10, 0) == doctest::Approx(2));
  CHECK(root(40, 0) == doctest::Approx(1));
  CHECK(root(40, 41) == root(40, 0));
}

TEST_CASE("RateSchedule: check refuses what cannot be") {
  CHECK_NOTHROW(check(RateSchedule{}));
  CHECK_THROWS_AS(check(RateSchedule{.name = "sawtooth"}), Error);
  CHECK_THROWS_AS(check(RateSchedule{.peak = 0}), Error);
  CHECK_THROWS_AS(check(RateSchedule{.warmup = 0}), Error);
}
