#include "examples/common/metrics.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "tests/examples/child_process.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace mixtape::examples;
using tests::TemporaryFolder;

namespace {

Metrics row(int64_t step) {
  return {.step = step,
          .epoch = 0.5,
          .loss = 1.0 / static_cast<double>(step),
          .learning_rate = 1e-3,
          .grad_norm = 2,
          .items_per_second = 9000,
          .seconds = 3,
          .extra = {}};
}

/// Lines of steps 10 to 50.
std::string five_lines(const std::string& path) {
  MetricsWriter writer(path);
  for (int64_t step = 10; step <= 50; step += 10) writer.write(row(step));
  return read_file(path);
}

std::vector<int64_t> steps_in(const std::string& path) {
  std::vector<int64_t> steps;
  for (const Metrics& metrics : read_metrics(path)) steps.push_back(metrics.step);
  return steps;
}

using Steps = std::vector<int64_t>;

}  // namespace

TEST_CASE("MetricsWriter: one JSON line a step, in a fixed order") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  MetricsWriter writer(path);
  Metrics metrics = row(4);
  metrics.extra["bleu"] = 12.5;
  metrics.grad_norm = std::numeric_limits<double>::infinity();
  writer.write(metrics);
  CHECK(
      read_file(path) ==
      R"({"step":4,"epoch":0.5,"loss":0.25,"learning_rate":0.001,"grad_norm":null,"items_per_second":9000.0,"seconds":3.0,"bleu":12.5})"
      "\n");
}

TEST_CASE("read_metrics: what was written, to the bit") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  five_lines(path);
  const std::vector<Metrics> rows = read_metrics(path);
  REQUIRE(rows.size() == 5);
  CHECK(rows[2].step == 30);
  CHECK(rows[2].loss == 1.0 / 30);
  CHECK(rows[2].extra.empty());
}

TEST_CASE("MetricsWriter: a resume cuts back to its step and goes on") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  const std::string all = five_lines(path);
  MetricsWriter(path, 30, 100).write(row(31));
  CHECK(steps_in(path) == Steps{10, 20, 30, 31});
  CHECK(all.starts_with(read_file(path).substr(0, 300)));
  { const MetricsWriter writer(path, 0, 100); }
  CHECK(read_file(path).empty());
}

TEST_CASE("MetricsWriter: a resume within an epoch removes what was measured at its end, in the same step") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  {
    MetricsWriter writer(path);
    writer.write({.step = 10, .epoch = 0, .loss = 1, .extra = {}});
    writer.write({.step = 10, .epoch = 1, .extra = {{"bleu", 5}}});
  }
  { const MetricsWriter writer(path, 10, 1); }
  CHECK(steps_in(path) == Steps{10, 10});
  { const MetricsWriter writer(path, 10, 0); }
  CHECK(steps_in(path) == Steps{10});
}

TEST_CASE("MetricsWriter: a resume with nothing to cut leaves the file as it is, and starts a missing one") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  const std::string all = five_lines(path);
  { const MetricsWriter writer(path, 50, 100); }
  CHECK(read_file(path) == all);
  MetricsWriter(folder.file("new"), 7, 100).write(row(8));
  CHECK(steps_in(folder.file("new")) == Steps{8});
}

TEST_CASE("a last line torn at any byte is left out, and a resume removes it") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  const std::string all = five_lines(path);
  const size_t fourth_end = all.rfind('\n', all.size() - 2) + 1;
  for (size_t size = fourth_end; size < all.size(); ++size) {
    CAPTURE(size);
    write_atomically(path, all.substr(0, size));
    const bool only_newline_missing = size == all.size() - 1;
    CHECK(steps_in(path) == (only_newline_missing ? Steps{10, 20, 30, 40, 50} : Steps{10, 20, 30, 40}));
  }
  write_atomically(path, all.substr(0, fourth_end + 9));
  MetricsWriter(path, 40, 100).write(row(41));
  CHECK(steps_in(path) == Steps{10, 20, 30, 40, 41});
}

TEST_CASE("read_metrics: any other damage is an error with the line number") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  for (const char* line : {"not json", "[1]", "{\"loss\":1}", "{\"step\":1.5}", ""}) {
    CAPTURE(line);
    write_atomically(path, "{\"step\":1}\n" + std::string(line) + "\n{\"step\":2}\n");
    const std::string message = path + ":2: expected a JSON object with a whole number \"step\"";
    CHECK_THROWS_WITH_AS(read_metrics(path), message.c_str(), Error);
    CHECK_THROWS_WITH_AS(MetricsWriter(path, 1, 100), message.c_str(), Error);
  }
  CHECK_THROWS_AS(read_metrics(folder.file("none")), Error);
}

TEST_CASE("MetricsWriter: a full disk leaves whole lines") {
  const TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  const ChildResult child = run_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {250, 250};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      five_lines(path);
    } catch (const Error& error) {
      return std::string(error.what()) == "cannot write " + path + ": File too large" ? 0 : 1;
    }
    return 2;
  });
  CHECK(child.code == 0);
  CHECK(steps_in(path) == Steps{10, 20});
  CHECK(read_file(path).ends_with("}\n"));
  CHECK_THROWS_AS(MetricsWriter(folder.file("none/metrics.jsonl")), Error);
}

TEST_CASE("metric_points: fields and extras, gaps left out") {
  std::vector<Metrics> rows = {row(1), row(2), row(3)};
  rows[1].loss = Metrics::kNone;
  rows[2].extra["val_loss"] = 7;
  using Points = std::vector<Point>;
  CHECK(metric_points(rows, "loss") == Points{{1, 1.0}, {3, 1.0 / 3}});
  CHECK(metric_points(rows, "val_loss") == Points{{3, 7}});
  CHECK(metric_points(rows, "bleu").empty());
}
