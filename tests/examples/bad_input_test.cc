#include <doctest/doctest.h>
#include <zlib.h>

#include "autograd/files/file.h"
#include "tests/examples/program.h"
#include "tests/examples/small_training.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

// Every file below a folder with its bytes, in order.
std::vector<std::pair<std::string, std::string>> contents(const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) all.emplace_back(entry.path().string(), read_file(entry.path().string()));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The program refuses with exit code 2 and one line that holds `expected`, and changes no file in the folder.
void check_refused(const TemporaryFolder& folder, const Arguments& arguments, const std::string& expected,
                   const std::string& input = "") {
  CAPTURE(fmt::format("{}", fmt::join(arguments, " ")));
  const auto before = contents(folder.path());
  const auto names = folder.names();
  const Ended ended = run_program(arguments, input);
  CAPTURE(ended.errors);
  CHECK(ended.code == 2);
  CHECK(ended.output.empty());
  CHECK(lines_of(ended.errors) == 1);
  CHECK(ended.errors.starts_with(arguments[0] + ": "));
  CHECK(ended.errors.find(expected) != std::string::npos);
  CHECK((contents(folder.path()) == before));
  CHECK(folder.names() == names);
}

std::string gzipped(const std::string& text) {
  const TemporaryFolder folder;
  const gzFile file = gzopen(folder.file("x.gz").c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return read_file(folder.file("x.gz"));
}

// `count` different lines, which do not compress to nothing.
std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("the {} cat sees {}\n", i * 7919 % 1009, i * i);
  return text;
}

// A folder with a finished run in `run`.
struct Finished : TemporaryFolder {
  Finished() {
    write_pairs(*this, 60);
    const Ended ended = run_program(kSmallTranslator.start(*this, "run", {"--steps", "2"}));
    CAPTURE(ended.errors);
    REQUIRE(ended.code == 0);
  }
};

}  // namespace

TEST_CASE("translator train refuses data that is not as it should be") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("data"));
  const Arguments tsv{"translator",        "train", "--data",          "tsv", "--data-dir",
                      folder.file("data"), "--out", folder.file("run")};
  check_refused(folder, tsv, "/data: neither train.tsv.gz nor train.tsv is in this folder");
  folder.write("data/train.tsv", "");
  check_refused(folder, tsv, "/data/train.tsv: the file is empty");
  folder.write("data/train.tsv", "a cat\teine Katze\na dog\n");
  check_refused(folder, tsv, "/data/train.tsv:2: ");
  folder.write("data/train.tsv", "a cat\teine Katze\na dog\tein \xFFHund\n");
  check_refused(folder, tsv, "/data/train.tsv:2: ");
  std::filesystem::remove(folder.file("data/train.tsv"));
  const std::string whole = gzipped(lines(500));
  folder.write("data/train.tsv.gz", whole.substr(0, whole.size() / 2));
  check_refused(folder, tsv, "/data/train.tsv.gz: ");
}

TEST_CASE("translator train refuses Multi30k with files that do not belong together") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("data"));
  const Arguments arguments{"translator",        "train", "--data",          "multi30k", "--data-dir",
                            folder.file("data"), "--out", folder.file("run")};
  folder.write("data/train.en.gz", gzipped(lines(30)));
  check_refused(folder, arguments, "neither train.de.gz nor train.de is in this folder");
  folder.write("data/train.de.gz", gzipped(lines(29)));
  check_refused(folder, arguments, "29");
  check_refused(folder, {"translator", "train", "--data", "multi30k", "--out", folder.file("run")}, "--data-dir");
  Arguments direction = arguments;
  direction.insert(direction.end(), {"--pair", "ende"});
  check_refused(folder, direction, "ende");
}

TEST_CASE("translator train refuses settings that cannot be") {
  const TemporaryFolder folder;
  write_pairs(folder, 30);
  const auto with = [&](const Arguments& more) { return kSmallTranslator.start(folder, "run", more); };
  check_refused(folder, with({"--set", "colour=red"}), "no setting colour, expected one of ");
  check_refused(folder, with({"--set", "tokens=many"}), "tokens");
  check_refused(folder, with({"--set", "tokens"}), "expected NAME=VALUE");
  check_refused(folder, with({"--set", "tokens=-1"}), "tokens");
  check_refused(folder, with({"--set", "average=0"}), "average");
  check_refused(folder, with({"--set", "schedule=sawtooth"}), "sawtooth");
  check_refused(folder, with({"--set", "vocab=100"}), "expected at least");
  check_refused(folder, with({"--set", "model.heads=3"}), "3");
  check_refused(folder, with({"--set", "model.dropout=1.5"}), "setting model.dropout: 1.5, expected 0 <= p < 1");
  check_refused(folder, with({"--steps", "0"}), "--steps");
  check_refused(folder, with({"--steps", "5", "--epochs", "5"}), "--steps");
  check_refused(folder, with({"--threads", "0"}), "--threads");
  check_refused(folder, with({"--dtype", "f16"}), "--dtype");
  check_refused(folder, {"translator", "train", "--data", "toy"}, "--out");
  check_refused(folder, {"translator", "sing"}, "sing");
}

TEST_CASE("translator train refuses a run folder that it cannot use, and leaves it as it is") {
  const Finished folder;
  const std::string out = folder.file("run");
  check_refused(folder, kSmallTranslator.start(folder, "run", {}), "already exists: go on with --resume");
  check_refused(folder, kSmallTranslator.resume(folder, "none"), "does not exist: leave out --resume");
  Arguments below = kSmallTranslator.start(folder, "run", {});
  std::replace(below.begin(), below.end(), out, std::string("/dev/null/run"));
  check_refused(folder, below, "cannot create run folder /dev/null/run: Not a directory");
  check_refused(folder, {"translator", "train", "--data", "toy", "--resume", "--out", out}, "\"data\"");
  check_refused(folder, kSmallTranslator.resume(folder, "run", {"--set", "tokens=5"}), "keeps the settings");

  const std::string config = read_file(out + "/config.json");
  folder.write("run/config.json", R"({"program": "vit", "data": "digits"})");
  check_refused(folder, kSmallTranslator.resume(folder, "run"), "\"program\"");
  folder.write("run/config.json", "{");
  check_refused(folder, kSmallTranslator.resume(folder, "run"), "config.json:1: not valid JSON");
  folder.write("run/config.json", config);
  const std::string checkpoint = read_file(out + "/checkpoint.safetensors");
  folder.write("run/checkpoint.safetensors", checkpoint.substr(0, checkpoint.size() / 2));
  check_refused(folder, kSmallTranslator.resume(folder, "run", {"--steps", "4"}), "checkpoint.safetensors");
  folder.write("run/checkpoint.safetensors", checkpoint);
  const std::string tokenizer = read_file(out + "/tokenizer.model");
  folder.write("run/tokenizer.model", tokenizer.substr(0, tokenizer.size() / 2));
  check_refused(folder, kSmallTranslator.resume(folder, "run", {"--steps", "4"}),
                "tokenizer.model: not a subword vocabulary");
}

TEST_CASE("translator evaluate and translate refuse what they cannot read") {
  const Finished folder;
  const std::string out = folder.file("run"), source = folder.write("source", "a cat\na dog\n");
  const std::string reference = folder.write("reference", "eine Katze\nein Hund\n");
  const auto evaluate = [&](const std::string& from, const std::string& to) {
    return Arguments{"translator", "evaluate", "--run", out, "--source", from, "--reference", to};
  };
  check_refused(folder, evaluate(folder.file("none"), reference), "/none: No such file or directory");
  check_refused(folder, evaluate(source, folder.write("short", "eine Katze\n")), "/short has 1");
  check_refused(folder, evaluate(source, folder.write("latin", "eine Katze\nein B\xE4r\n")), "/latin:2: ");
  check_refused(folder, evaluate(folder.write("empty", ""), folder.file("empty")), "empty");
  const std::string whole = gzipped(lines(500));
  check_refused(folder, evaluate(folder.write("cut.gz", whole.substr(0, whole.size() - 9)), reference), "/cut.gz: ");
  check_refused(folder, {"translator", "translate", "--run", folder.file("data")}, "is no run folder");
  check_refused(folder, {"translator", "translate", "--run", folder.file("none")}, "does not exist");
  check_refused(folder, {"translator", "translate", "--run", out}, "standard input:2: byte 2", "ein Hund\nB\xE4r\n");

  const std::string weights = read_file(out + "/model.safetensors");
  folder.write("run/model.safetensors", weights.substr(0, weights.size() - 1));
  check_refused(folder, {"translator", "translate", "--run", out}, "model.safetensors", "a cat\n");
  std::filesystem::remove(out + "/model.safetensors");
  check_refused(folder, {"translator", "translate", "--run", out}, "model.safetensors", "a cat\n");
  folder.write("run/config.json", R"({"program": "vit"})");
  check_refused(folder, {"translator", "translate", "--run", out}, "\"program\"", "a cat\n");
}

TEST_CASE("translator train on a disk that is full ends in one line, and goes on when there is room") {
  const TemporaryFolder folder;
  write_pairs(folder, 60);
  const Arguments train = kSmallTranslator.start(folder, "run", {"--steps", "30"});
  std::string command = "trap '' XFSZ; ulimit -f 200; exec " MIXTAPE_BUILD_DIR "/examples/";
  for (const std::string& argument : train) command += argument + " ";
  const Ended full = run_program({"/bin/bash", "-c", command});
  CAPTURE(full.errors);
  CHECK(full.code == 2);
  CHECK(full.errors.find("translator: cannot write ") != std::string::npos);
  CHECK(full.errors.ends_with(": File too large\n"));
  for (const auto& [name, bytes] : contents(folder.file("run"))) {
    CHECK(name.find("mixtape-tmp") == std::string::npos);
    CHECK(name.find("safetensors") == std::string::npos);
  }
  CHECK(run_program(kSmallTranslator.resume(folder, "run")).code == 0);
  CHECK(run_program(kSmallTranslator.start(folder, "other", {"--steps", "30"})).code == 0);
  CHECK(read_file(folder.file("run/model.safetensors")) == read_file(folder.file("other/model.safetensors")));
}

namespace {

Arguments vit_train(const TemporaryFolder& folder, const Arguments& more) {
  Arguments arguments{"vit", "train", "--data-dir", folder.file("data"), "--out", folder.file("run")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// A folder with a finished run in `run`, and pictures to look at.
struct FinishedVit : TemporaryFolder {
  FinishedVit() {
    kSmallVit.write_data(*this, 60);
    const Ended ended = run_program(kSmallVit.start(*this, "run", {"--steps", "2"}));
    CAPTURE(ended.errors);
    REQUIRE(ended.code == 0);
  }
};

}  // namespace

TEST_CASE("vit train refuses data that is not as it should be") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("data"));
  const Arguments mnist = vit_train(folder, {"--data", "mnist"});
  check_refused(folder, mnist, "is in this folder");
  kSmallVit.write_data(folder, 40);
  const std::string images = read_file(folder.file("data/train-images-idx3-ubyte"));
  folder.write("data/train-images-idx3-ubyte", images.substr(0, images.size() - 7));
  check_refused(folder, mnist, "/data/train-images-idx3-ubyte: ");
  folder.write("data/train-images-idx3-ubyte", images);
  std::string labels = read_file(folder.file("data/train-labels-idx1-ubyte"));
  labels.back() = 10;
  folder.write("data/train-labels-idx1-ubyte", labels);
  check_refused(folder, mnist, "/data/train-labels-idx1-ubyte: ");
  check_refused(folder, vit_train(folder, {"--data", "cifar10"}), "data_batch_");
  check_refused(folder, {"vit", "train", "--data", "mnist", "--out", folder.file("run")}, "--data-dir");
}

TEST_CASE("vit train refuses settings that cannot be") {
  const TemporaryFolder folder;
  kSmallVit.write_data(folder, 40);
  const auto with = [&](const std::string& setting) {
    return vit_train(folder, {"--data", "mnist", "--set", "validation=5", "--set", setting});
  };
  check_refused(folder, with("model.patch=5"), "28 x 28 in patches of 5");
  check_refused(folder, with("model.heads=5"), "5");
  check_refused(folder, with("model.pooling=max"), "expected class-token or mean");
  check_refused(folder, with("model.stem=pudding"), "expected patch or convolution");
  check_refused(folder, with("augment.operations=-1"), "operations");
  check_refused(folder, with("augment.erasing=2"), "erasing");
  check_refused(folder, with("validation=40"), "hold out: 40 of 40 images");
  check_refused(folder, with("moving_average=1"), "moving_average");
  check_refused(folder, with("batch=0"), "batch");
  check_refused(folder, with("label_smoothing=1"), "label_smoothing");
  check_refused(folder, vit_train(folder, {"--data", "mnist", "--dtype", "f64"}), "--dtype");
}

TEST_CASE("vit evaluate and predict refuse what they cannot use") {
  const FinishedVit folder;
  const std::string run = folder.file("run"), data = folder.file("data");
  const auto evaluate = [&](const Arguments& more) {
    Arguments arguments{"vit", "evaluate", "--run", run};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const auto predict = [&](const std::string& picture) { return Arguments{"vit", "predict", "--run", run, picture}; };
  check_refused(folder, evaluate({"--data", "mnist"}), "--data-dir");
  check_refused(folder, evaluate({"--data", "mnist", "--data-dir", folder.file("none")}), "none");
  check_refused(folder, evaluate({"--data", "mnist", "--data-dir", data, "--split", "half"}), "half");
  std::string record(1, '\0');
  folder.write("data/test_batch.bin", record + std::string(3072, 'x'));
  check_refused(folder, evaluate({"--data", "cifar10", "--data-dir", data}), "32 x 32 x 3");
  check_refused(folder, predict(folder.file("none.png")), "/none.png: ");
  check_refused(folder, predict(folder.write("text.png", "no picture")), "/text.png: ");
  check_refused(folder, {"vit", "predict", "--run", run}, "images");
  const std::string config = read_file(run + "/config.json");
  folder.write("run/config.json", R"({"program": "translator"})");
  check_refused(folder, predict(folder.file("text.png")), "\"program\"");
  folder.write("run/config.json", config.substr(0, config.size() / 2));
  check_refused(folder, predict(folder.file("text.png")), "not valid JSON");
  folder.write("run/config.json", config);
  std::filesystem::remove(run + "/model.safetensors");
  check_refused(folder, predict(folder.file("text.png")), "the training has not finished");
}
