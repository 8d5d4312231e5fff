#include <doctest/doctest.h>

#include "examples/common/metrics.h"
#include "tests/examples/program.h"
#include "tests/examples/small_training.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

// The accuracies of a run, by evaluation.
std::vector<double> accuracies(const TemporaryFolder& folder, const std::string& run) {
  std::vector<double> values;
  for (const examples::Metrics& row : examples::read_metrics(folder.file(run + "/metrics.jsonl")))
    if (row.extra.contains("accuracy")) values.push_back(row.extra.at("accuracy"));
  return values;
}

}  // namespace

TEST_CASE("training: ends early when nothing gets better, and stays ended") {
  const TemporaryFolder folder;
  kSmallVit.write_data(folder, 60);
  const Arguments still = {"--set", "learning_rate=1e-12", "--set", "patience=3", "--epochs", "50"};
  const Ended ended = run_program(kSmallVit.start(folder, "run", still));
  CAPTURE(ended.errors);
  REQUIRE(ended.code == 0);
  CHECK(ended.errors.find("stopped: no better accuracy in 3 evaluations") != std::string::npos);
  CHECK(accuracies(folder, "run").size() == 4);
  const std::string weights = read_file(folder.file("run/model.safetensors"));
  CHECK(run_program(kSmallVit.resume(folder, "run")).code == 0);
  CHECK(accuracies(folder, "run").size() == 4);
  CHECK(read_file(folder.file("run/model.safetensors")) == weights);
}

TEST_CASE("training: the model is the state that was best on the images held out") {
  const TemporaryFolder folder;
  kSmallVit.write_data(folder, 200);
  // A rate so large that what was learned is lost again.
  const Ended ended = run_program(
      kSmallVit.start(folder, "run",
                      {"--set", "learning_rate=0.02", "--set", "best=1", "--set", "schedule=inverse-square-root",
                       "--set", "moving_average=0", "--set", "validation=100", "--epochs", "6"}));
  CAPTURE(ended.errors);
  REQUIRE(ended.code == 0);
  const std::vector<double> all = accuracies(folder, "run");
  REQUIRE(all.size() == 6);
  const std::string line = fmt::format("accuracy {:.4f}\n", *std::max_element(all.begin(), all.end()));
  CHECK(ended.output.find(line) != std::string::npos);
}
