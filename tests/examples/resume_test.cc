#include <doctest/doctest.h>
#include <poll.h>
#include <sys/inotify.h>

#include <chrono>
#include <random>
#include <thread>

#include "autograd/files/file.h"
#include "examples/common/metrics.h"
#include "tests/examples/program.h"
#include "tests/examples/small_training.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

constexpr auto kSteps = "100";

std::string weights(const TemporaryFolder& folder, const std::string& run) {
  return read_file(folder.file(run + "/model.safetensors"));
}

// Step and loss of every line that training wrote, without what depends on the time.
std::vector<std::pair<int64_t, double>> losses(const TemporaryFolder& folder, const std::string& run) {
  std::vector<std::pair<int64_t, double>> pairs;
  for (const examples::Metrics& row : examples::read_metrics(folder.file(run + "/metrics.jsonl"))) {
    pairs.emplace_back(row.step, row.extra.contains("val_loss") ? row.extra.at("val_loss") : row.loss);
  }
  return pairs;
}

// A training that was never stopped.
struct Reference {
  const SmallTraining& training;
  TemporaryFolder folder;
  std::string weights;
  std::vector<std::pair<int64_t, double>> losses;

  explicit Reference(const SmallTraining& chosen) : training(chosen) {
    training.write_data(folder, 160);
    const Ended ended = run_program(training.start(folder, "whole", {"--steps", kSteps}));
    CAPTURE(ended.errors);
    REQUIRE(ended.code == 0);
    weights = ::weights(folder, "whole");
    losses = ::losses(folder, "whole");
  }
};

bool has_checkpoint(const TemporaryFolder& folder, const std::string& run) {
  return std::filesystem::exists(folder.file(run + "/checkpoint.safetensors"));
}

bool half_written(const TemporaryFolder& folder, const std::string& run) {
  for (const auto& entry : std::filesystem::directory_iterator(folder.file(run))) {
    if (entry.path().filename().string().find("checkpoint.safetensors.") != std::string::npos) return true;
  }
  return false;
}

// Sees the files that are made in a folder.
class NewFiles {
 public:
  explicit NewFiles(const std::string& folder) : descriptor_(inotify_init1(IN_CLOEXEC)) {
    REQUIRE(inotify_add_watch(descriptor_, folder.c_str(), IN_CREATE) >= 0);
  }
  ~NewFiles() { close(descriptor_); }
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  // Waits for one whose name has `part` in it. Returns whether it came before a second without any new file.
  bool wait_for(const std::string& part) const {
    pollfd wanted{.fd = descriptor_, .events = POLLIN, .revents = 0};
    while (poll(&wanted, 1, 1000) == 1) {
      alignas(inotify_event) char events[4096];
      const ssize_t size = read(descriptor_, events, sizeof events);
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(events + at);
        if (event->len > 0 && std::string(event->name).find(part) != std::string::npos) return true;
        at += static_cast<ssize_t>(sizeof *event + event->len);
      }
    }
    return false;
  }

 private:
  int descriptor_;
};

// Kills of one kind until `count` have hit a running training; a run that got to its end is compared and begun anew.
template <class Kill>
void check_kills(const Reference& reference, const std::string& name, int count, const Kill& kill) {
  const TemporaryFolder& folder = reference.folder;
  int hits = 0;
  for (int run = 0; hits < count; ++run) {
    REQUIRE(run < 20);
    const std::string out = fmt::format("{}-{}", name, run);
    bool ended = false, first = true;
    for (int starts = 0; !ended; ++starts, first = false) {
      REQUIRE(starts < 100);
      const std::vector<std::string> often = {"--checkpoint-seconds", "0.001"};
      std::vector<std::string> start = reference.training.start(folder, out, {"--steps", kSteps});
      start.insert(start.end(), often.begin(), often.end());
      const bool there = std::filesystem::exists(folder.file(out + "/config.json"));
      if (first || !there) std::filesystem::remove_all(folder.file(out));
      Program program(first || !there ? start : reference.training.resume(folder, out, often));
      if (hits < count) hits += kill(program, out);
      const Ended result = program.wait();
      CAPTURE(result.errors);
      ended = result.code == 0;
      if (!ended) REQUIRE(result.code == -SIGKILL);
    }
    CHECK(weights(folder, out) == reference.weights);
    CHECK(losses(folder, out) == reference.losses);
  }
  MESSAGE("kills: " << hits);
}

}  // namespace

TEST_CASE("training: the same bits with any number of threads, and again") {
  for (const SmallTraining* training : {&kSmallTranslator, &kSmallVit}) {
    CAPTURE(training->program);
    const Reference reference(*training);
    for (const char* threads : {"1", "2", "3", "5", "2"}) {
      CAPTURE(threads);
      const std::string run = fmt::format("threads-{}", threads);
      std::filesystem::remove_all(reference.folder.file(run));
      const Arguments start = training->start(reference.folder, run, {"--steps", kSteps, "--threads", threads});
      CHECK(run_program(start).code == 0);
      CHECK(weights(reference.folder, run) == reference.weights);
    }
  }
}

TEST_CASE("training: Ctrl-C saves, says how to go on, and a resume ends with the same bits") {
  for (const SmallTraining* training : {&kSmallTranslator, &kSmallVit}) {
    CAPTURE(training->program);
    const Reference reference(*training);
    const TemporaryFolder& folder = reference.folder;
    Program program(training->start(folder, "run", {"--steps", kSteps, "--checkpoint-seconds", "0.001"}));
    while (program.running() && !has_checkpoint(folder, "run"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.send(SIGINT);
    const Ended stopped = program.wait();
    CAPTURE(stopped.errors);
    CHECK(stopped.code == 130);
    CHECK(stopped.errors.find(fmt::format("all is saved; to go on: {} train --data {}", training->program,
                                          training->data)) != std::string::npos);
    CHECK(!std::filesystem::exists(folder.file("run/model.safetensors")));
    CHECK(run_program(training->resume(folder, "run")).code == 0);
    CHECK(weights(folder, "run") == reference.weights);
    CHECK(losses(folder, "run") == reference.losses);
  }
}

TEST_CASE("training: more steps than were asked for at first end as if asked for at once") {
  const TemporaryFolder folder;
  kSmallTranslator.write_data(folder, 160);
  // Without a total the schedule would be another one, so the inverse square root it is.
  const auto train = [&](const char* run, const char* steps) {
    return run_program(kSmallTranslator.start(folder, run, {"--set", "schedule=inverse-square-root", "--steps", steps}))
        .code;
  };
  CHECK(train("once", "60") == 0);
  CHECK(train("twice", "37") == 0);
  CHECK(run_program(kSmallTranslator.resume(folder, "twice", {"--steps", "60"})).code == 0);
  CHECK(weights(folder, "twice") == weights(folder, "once"));
}

TEST_CASE("training: with bf16 products too, threads and a resume do not change the bits, and a run keeps its dtype") {
  for (const SmallTraining* training : {&kSmallTranslator, &kSmallVit}) {
    CAPTURE(training->program);
    const TemporaryFolder folder;
    training->write_data(folder, 160);
    const auto start = [&](const char* run, const char* steps, const char* threads) {
      return run_program(training->start(folder, run,
                                         {"--dtype", "bf16", "--set", "schedule=inverse-square-root", "--steps", steps,
                                          "--threads", threads}))
          .code;
    };
    CHECK(start("once", "40", "1") == 0);
    CHECK(start("threads", "40", "3") == 0);
    CHECK(weights(folder, "threads") == weights(folder, "once"));
    CHECK(start("twice", "23", "2") == 0);
    const Ended refused = run_program(training->resume(folder, "twice", {"--steps", "40", "--dtype", "f32"}));
    CHECK(refused.code == 2);
    CHECK(refused.errors.find("dtype") != std::string::npos);
    CHECK(run_program(training->resume(folder, "twice", {"--steps", "40"})).code == 0);
    CHECK(weights(folder, "twice") == weights(folder, "once"));
  }
}

TEST_CASE("training: killed at random moments, a resume ends with the same bits") {
  for (const auto& [training, count] : {std::pair{&kSmallTranslator, 15}, {&kSmallVit, 15}}) {
    CAPTURE(training->program);
    const Reference reference(*training);
    std::mt19937 random(5);
    check_kills(reference, "random", count, [&](const Program& program, const std::string&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 150));
      const bool hit = program.running();
      program.send(SIGKILL);
      return hit;
    });
  }
}

TEST_CASE("training: killed while it writes a checkpoint, a resume ends with the same bits") {
  for (const SmallTraining* training : {&kSmallTranslator, &kSmallVit}) {
    CAPTURE(training->program);
    const Reference reference(*training);
    const TemporaryFolder& folder = reference.folder;
    check_kills(reference, "write", 5, [&](const Program& program, const std::string& out) {
      while (program.running() && !has_checkpoint(folder, out))
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      const NewFiles files(folder.file(out));
      if (!files.wait_for("checkpoint.safetensors.")) return false;
      program.send(SIGKILL);
      while (program.running()) std::this_thread::yield();
      return half_written(folder, out);
    });
  }
}
