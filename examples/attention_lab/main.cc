#include <fmt/format.h>

#include <functional>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "examples/attention_lab/document.h"
#include "examples/attention_lab/page.h"
#include "examples/attention_lab/walk.h"
#include "examples/common/command_line.h"

namespace mixtape::attention_lab {
namespace {

constexpr size_t kLargestPage = 2'000'000;  // bytes

struct Options {
  Choice choice;
  std::string out;
};

void add_choice(examples::Command& command, Choice& choice) {
  const auto index = examples::whole_number(0);
  command.option("--preset", choice.preset, "source of the numbers").one_of(preset_names());
  command.option("--run", choice.run,
                 "run folder of a finished translator or vit, instead of the small model of the lab");
  command.option("--sentence", choice.sentence,
                 "sentence to translate, or to predict character by character (translation, generation)");
  command.option("--image", choice.image, "PNG or JPEG picture (image)");
  command.option("--layer", choice.layer, "attention layer: encoder.layer.0.attention");
  command.option("--head", choice.head, "head to show, from 0").check(index);
  command.option("--query", choice.query, "query to show, from 0").check(index);
}

// The chosen preset first, then the others. With a run, whose layers are wide, only `by-hand` is added.
Json make_document(const Choice& choice) {
  std::vector<Study> studies = {study(make_preset(choice))};
  const std::string chosen = studies[0].preset.name;
  for (const std::string& name : preset_names()) {
    if (name == chosen || (!choice.run.empty() && name != "by-hand")) continue;
    Choice other;
    other.preset = name;
    studies.push_back(study(make_preset(other)));
  }
  return to_document(studies, measure_costs());
}

// Opens the file first, so that a path that is not writable fails at once.
void write(const std::string& path, const std::function<std::string()>& make) {
  AtomicFile file(path);
  const std::string text = make();
  if (text.size() > kLargestPage) {
    fail(fmt::format("{}: it would have {} bytes, at most {}; choose a shorter sentence or a smaller model", path,
                     text.size(), kLargestPage));
  }
  file.write(text);
  file.commit();
  fmt::print("{}: {} bytes\n", path, text.size());
}

void setup(examples::Command& program) {
  static Options options;
  examples::Command walk =
      program.subcommand("walk", "Prints every step of one attention layer, forward and backward.");
  add_choice(walk, options.choice);
  walk.run([] { mixtape::attention_lab::walk(study(make_preset(options.choice))); });

  const auto writes = [](examples::Command& command) {
    command.option("--out", options.out, "file to write").required();
    add_choice(command, options.choice);
  };
  examples::Command page = program.subcommand("page", "Writes everything as one self-contained page.");
  writes(page);
  page.run([] { write(options.out, [] { return make_page(make_document(options.choice)); }); });

  examples::Command data = program.subcommand("data", "Writes the numbers of the page as JSON.");
  writes(data);
  data.run([] { write(options.out, [] { return to_text(make_document(options.choice)); }); });
}

}  // namespace
}  // namespace mixtape::attention_lab

int main(int argc, char** argv) {
  return mixtape::examples::run_program(
      "attention_lab", "Shows one attention layer in detail: every step forward and backward, with all its numbers.",
      argc, argv, mixtape::attention_lab::setup);
}
