// The lab's program and its tape.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "autograd/files/file.h"
#include "autograd/files/json.h"
#include "autograd/tensors/error.h"
#include "examples/attention_lab/explanation.h"
#include "examples/attention_lab/walk.h"
#include "tests/examples/attention_lab_cases.h"
#include "tests/examples/program.h"
#include "tests/examples/small_training.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::attention_lab;
using namespace mixtape::tests;

namespace {

const TapeLine& line_named(const Study& study, const std::string& matrix, bool backward) {
  const auto found = std::find_if(study.tape.rbegin(), study.tape.rend(), [&](const TapeLine& line) {
    return line.view.backward == backward &&
           std::find(line.matrices.begin(), line.matrices.end(), matrix) != line.matrices.end();
  });
  REQUIRE_MESSAGE(found != study.tape.rend(), matrix);
  return *found;
}

// The program refuses with exit code 2 and one line that holds `expected`.
void check_refused(const Arguments& arguments, const std::string& expected) {
  CAPTURE(fmt::format("{}", fmt::join(arguments, " ")));
  const Ended ended = run_program(arguments);
  CAPTURE(ended.errors);
  CHECK(ended.code == 2);
  CHECK(ended.output.empty());
  CHECK(lines_of(ended.errors) == 1);
  CHECK(ended.errors.starts_with("attention_lab: "));
  CHECK(ended.errors.find(expected) != std::string::npos);
}

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// What a program prints on a terminal on which these keys are pressed.
Ended run_on_terminal(const Arguments& arguments, const std::string& keys) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(grantpt(master) == 0);
  REQUIRE(unlockpt(master) == 0);
  const std::string terminal = ptsname(master), program = MIXTAPE_BUILD_DIR "/examples/" + arguments[0];
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal.c_str(), O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  REQUIRE(posix_spawn(&child, program.c_str(), &actions, nullptr, pointers.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE(write(master, keys.data(), keys.size()) == std::ssize(keys));
  Ended ended;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(master, buffer, sizeof buffer)) > 0;)
    ended.output.append(buffer, static_cast<size_t>(size));
  int status = 0;
  waitpid(child, &status, 0);
  close(master);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

Choice choice_of(const std::string& preset) {
  Choice choice;
  choice.preset = preset;
  return choice;
}

}  // namespace

TEST_CASE("attention_lab: the tape names what each line works on") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const Study& study = study_of(name);
    for (const auto& [matrix, value] : study.forward) line_named(study, matrix, false);
    for (const auto& [matrix, value] : study.backward) line_named(study, matrix, true);
    for (const TapeLine& line : study.tape) {
      CAPTURE(line.view.op);
      CHECK(!line.formula.empty());
      CHECK(!line.rule.empty());
      CHECK(line.saved.size() == line.view.saved.size());
    }
  }
  const Study& study = study_of("by-hand");
  const TapeLine& softmax = line_named(study, "A", false);
  CHECK(std::string_view(softmax.view.op) == "softmax");
  CHECK(softmax.saved == std::vector<std::string>{"A"});
  CHECK(softmax.view.saved_bytes == 9 * 8);
  CHECK(std::any_of(study.tape.begin(), study.tape.end(), [&](const TapeLine& line) {
    return line.view.rule_of == softmax.view.line && line.matrices == std::vector<std::string>{"dS"};
  }));
}

TEST_CASE("attention_lab: everything that is computed is explained") {
  for (const std::string& name : preset_names()) {
    const AttentionLayer& layer = study_of(name).preset.attention;
    run(layer, [&](const std::string& shown, const Tensor& value) {
      CAPTURE(shown);
      if (!shown.starts_with("X_")) CHECK(!explain(layer, shown).formula.empty());
      return value;
    });
    for (const auto& [gradient, value] : study_of(name).backward) CHECK(!explain(layer, gradient).rule.empty());
  }
}

TEST_CASE("attention_lab walk prints every step, with the numeric derivative beside each gradient") {
  const Ended ended = run_program({"attention_lab", "walk"});
  CHECK(ended.code == 0);
  CHECK(ended.errors.empty());
  const std::vector<WalkStep> steps = walk_steps(study_of("by-hand"));
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string page = fmt::format("[{}/{}] {}\n{}\n", i + 1, steps.size(), steps[i].title, steps[i].text);
    CHECK(ended.output.find(page) != std::string::npos);
  }
  for (const auto& [name, gradient] : study_of("by-hand").backward) {
    CAPTURE(name);
    CHECK(ended.output.find(fmt::format("\n{} {}", name, to_string(gradient.shape()))) != std::string::npos);
  }
  for (const char* title :
       {"A = softmax(S)", "Jacobian", "dS = A * (dA - rowsum(dA * A))", "dX = dX_query", "tiled", "second order"})
    CHECK(ended.output.find(title) != std::string::npos);
  CHECK(std::count(ended.output.begin(), ended.output.end(), '|') > 40);
}

TEST_CASE("attention_lab walk goes forward and back on a terminal") {
  const Ended ended = run_on_terminal({"attention_lab", "walk"}, "nnpq");
  CHECK(ended.code == 0);
  std::vector<std::string> pages;
  for (const auto& match : matches_of(R"(\[(\d+)/\d+\])", ended.output)) pages.push_back(match[1]);
  CHECK(pages == std::vector<std::string>{"1", "2", "3", "2"});
}

TEST_CASE("attention_lab walk: masks and cross-attention have their steps") {
  const auto titles = [](const std::string& preset) {
    std::set<std::string> all;
    for (const WalkStep& step : walk_steps(study_of(preset))) all.insert(step.title);
    return all;
  };
  CHECK(titles("generation").contains("what a query must not see gets -infinity"));
  CHECK(!titles("by-hand").contains("what a query must not see gets -infinity"));
  CHECK(titles("translation").contains("dmemory = dX_key + dX_value"));
  CHECK(titles("image").contains("dX = dX_query + dX_key + dX_value"));
}

TEST_CASE("attention_lab: presets are as they say") {
  for (const std::string& name : preset_names()) {
    CAPTURE(name);
    const Preset& preset = study_of(name).preset;
    CHECK(std::ssize(preset.queries) == preset.attention.queries());
    CHECK(std::ssize(preset.keys) == preset.attention.keys());
    CHECK(std::ssize(preset.queries) <= kLongestImage);
    CHECK(std::find(preset.layers.begin(), preset.layers.end(), preset.layer) != preset.layers.end());
    CHECK(preset.picture.has_value() == (preset.kind == "image"));
    CHECK(!preset.norms.empty());
  }
  CHECK(study_of("translation").preset.norms.back().step > 100);
  CHECK(study_of("generation").preset.attention.hides());
  CHECK(study_of("translation").preset.attention.is_cross());
  CHECK(study_of("image").preset.queries.size() == 17);
}

TEST_CASE("attention_lab: layer, head and query can be chosen") {
  Choice choice = choice_of("generation");
  choice.layer = "decoder.layer.0.attention";
  choice.head = 1;
  choice.query = 2;
  choice.sentence = "the cat";
  const Preset preset = make_preset(choice);
  CHECK(preset.layer == "decoder.layer.0.attention");
  CHECK(preset.head == 1);
  CHECK(preset.query == 2);
  CHECK(preset.queries == std::vector<std::string>{"<s>", "t", "h", "e", "␣", "c", "a"});
}

TEST_CASE("attention_lab page writes one file of less than 2 MB that needs no network") {
  const TemporaryFolder folder;
  const Ended ended = run_program({"attention_lab", "page", "--out", folder.file("lab.html")});
  CAPTURE(ended.errors);
  REQUIRE(ended.code == 0);
  const std::string page = read_file(folder.file("lab.html"));
  CHECK(page.size() < 2'000'000);
  CHECK(page.find("src=\"http") == std::string::npos);
  CHECK(page.find("href=\"http") == std::string::npos);
  const std::string open = "id=\"lab-data\">";
  const size_t first = page.find(open) + open.size();
  const Json document = parse_json(page.substr(first, page.find("</script>", first) - first), "page");
  CHECK(document.at("version") == 1);
  CHECK(document.at("presets").get<Json::Array>().size() == 4);
  CHECK(document.at("cost").get<Json::Array>().size() >= 4);
  for (const Json& preset : document.at("presets").get<Json::Array>()) {
    for (const char* key :
         {"name",    "title",    "about",   "kind",  "queries",    "keys",    "picture",  "layer", "layers",
          "head",    "query",    "heads",   "width", "head_width", "scale",   "causal",   "mask",  "inputs",
          "forward", "backward", "numeric", "curve", "tape",       "hessian", "overview", "tiled"})
      CHECK(preset.find(key) != nullptr);
  }
}

TEST_CASE("attention_lab refuses what it cannot show") {
  const Arguments walk = {"attention_lab", "walk"};
  check_refused(with(walk, {"--layer", "decoder"}), "--layer decoder: there is only attention");
  check_refused(with(walk, {"--head", "1"}), "--head 1: expected 0 to 0");
  check_refused(with(walk, {"--head", "-1"}), "--head");
  check_refused(with(walk, {"--query", "3"}), "--query 3: expected 0 to 2");
  check_refused(with(walk, {"--preset", "music"}), "music");
  check_refused(with(walk, {"--sentence", "the cat"}), "--sentence: the preset by-hand does not take it");
  check_refused(with(walk, {"--run", "/nowhere"}), "/nowhere");
  const Arguments generation = with(walk, {"--preset", "generation"});
  check_refused(with(generation, {"--sentence", "the cat sees the dog"}), "20 tokens, at most 16");
  check_refused(with(generation, {"--sentence", "caf\xC3\xA9"}), "a character that the model has not seen");
  check_refused(with(generation, {"--layer", "decoder.layer.7.attention"}),
                "the model has decoder.layer.0.attention, ");
  check_refused(with(walk, {"--preset", "image", "--image", "/nowhere.png"}), "/nowhere.png");
  const Arguments translation = with(walk, {"--preset", "translation"});
  check_refused(with(translation, {"--layer", "encoder"}), "the model has encoder.layer.0.attention, ");
  check_refused(with(translation, {"--sentence", "a b c d e f g h i j k l m n o p q r"}), "tokens, at most 16");
  check_refused({"attention_lab", "page"}, "--out");
  check_refused({"attention_lab", "data", "--out", "/nowhere/lab.json"}, "/nowhere");
  check_refused({"attention_lab", "sing"}, "sing");
}

TEST_CASE("attention_lab takes the runs of translator, and refuses those that it cannot use") {
  const TemporaryFolder folder;
  write_pairs(folder, 60);
  REQUIRE(run_program(kSmallTranslator.start(folder, "run", {"--steps", "2"})).code == 0);
  const std::string run = folder.file("run");
  const Arguments walk = {"attention_lab", "walk", "--run", run};
  const Ended ended = run_program(with(walk, {"--sentence", "the cat", "--layer", "decoder.layer.0.attention"}));
  CAPTURE(ended.errors);
  CHECK(ended.code == 0);
  CHECK(ended.output.find("the translator of " + run) != std::string::npos);
  check_refused(with(walk, {"--sentence", "a b c d e f g h i j k l m n o p q"}), "tokens, at most 16 can be shown");
  check_refused(with(walk, {"--preset", "image"}), "\"program\"");
  check_refused(with(walk, {"--preset", "generation"}), "--run: the preset generation does not take it");

  const std::string weights = read_file(run + "/model.safetensors"), config = read_file(run + "/config.json");
  folder.write("run/model.safetensors", weights.substr(0, weights.size() / 2));
  check_refused(walk, "model.safetensors");
  folder.write("run/model.safetensors", weights);
  folder.write("run/config.json", config.substr(0, config.size() / 2));
  check_refused(walk, "config.json");
  folder.write("run/config.json", R"({"program": "juggler"})");
  check_refused(walk, "a run of juggler");
}

TEST_CASE("attention_lab takes the runs of vit, and refuses pictures of too many patches") {
  const TemporaryFolder folder;
  kSmallVit.write_data(folder, 60);
  const Arguments sizes = {"--steps", "2", "--set", "model.stem=patch", "--set"};
  REQUIRE(run_program(kSmallVit.start(folder, "coarse", with(sizes, {"model.patch=7"}))).code == 0);
  REQUIRE(run_program(kSmallVit.start(folder, "fine", with(sizes, {"model.patch=4"}))).code == 0);
  const Ended ended = run_program({"attention_lab", "walk", "--run", folder.file("coarse")});
  CAPTURE(ended.errors);
  CHECK(ended.code == 0);
  CHECK(ended.output.find("the vision transformer of") != std::string::npos);
  check_refused({"attention_lab", "walk", "--run", folder.file("fine")}, "50 tokens, at most 17");
  check_refused(
      {"attention_lab", "walk", "--run", folder.file("coarse"), "--image", folder.write("text.png", "no picture")},
      "text.png");
}
