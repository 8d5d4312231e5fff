#include <fmt/format.h>

#include <chrono>
#include <iostream>

#include "autograd/files/json.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "data/bleu.h"
#include "data/chrf.h"
#include "data/text_file.h"
#include "data/unicode.h"
#include "examples/common/command_line.h"
#include "examples/common/training.h"
#include "examples/translator/inference.h"
#include "examples/translator/train.h"

namespace mixtape::translator {
namespace {

using examples::whole_number;

struct Options {
  examples::TrainOptions train;
  std::string pair = "en-de", run, source, reference;
  std::optional<int64_t> beam, threads;
};

DecodeOptions decode_options(const Options& options, const Translator& translator) {
  if (options.threads) set_threads(static_cast<int>(*options.threads));
  return {options.beam.value_or(translator.preset.beam), translator.preset.length_power};
}

std::vector<std::string> read_standard_input() {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (const auto offset = data::find_invalid_utf8(line)) {
      fail(fmt::format("standard input:{}: byte {} of the line is not UTF-8", lines.size() + 1, *offset + 1));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// A newline within a translation would break the one line per sentence.
std::string on_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void run_translate(const Options& options) {
  const Translator translator = load_translator(examples::RunFolder::open(options.run));
  const std::vector<std::string> lines = read_standard_input();
  for (const std::string& line :
       translate(translator.model, translator.subwords, lines, decode_options(options, translator))) {
    fmt::print("{}\n", on_one_line(line));
  }
}

void run_evaluate(const Options& options) {
  const double start = examples::seconds_now();
  const Translator translator = load_translator(examples::RunFolder::open(options.run));
  const std::vector<std::string> sources = data::read_lines(options.source),
                                 references = data::read_lines(options.reference);
  if (sources.size() != references.size()) {
    fail(fmt::format("{} has {} lines, {} has {}", options.source, sources.size(), options.reference,
                     references.size()));
  }
  const DecodeOptions decode = decode_options(options, translator);
  const auto translations = translate(translator.model, translator.subwords, sources, decode);
  const data::BleuScore bleu = data::bleu(translations, references);
  const data::ChrfScore chrf = data::chrf(translations, references);
  fmt::print("{}\n{}\n", bleu.to_string(), chrf.to_string());
  const Json result{{"bleu", bleu.score},
                    {"chrf", chrf.score},
                    {"signature", data::bleu_signature()},
                    {"sentences", sources.size()},
                    {"seconds", examples::seconds_now() - start}};
  fmt::print("{}\n", to_text(result));
}

void setup(examples::Command& program, double started) {
  static Options options;
  examples::Command train = program.subcommand("train", "Trains a translator and writes it to a run folder.");
  examples::add_train_options(train, options.train, {"toy", "multi30k", "tsv"}, preset_names());
  train.option("--pair", options.pair, "direction of multi30k");
  train.run([started] { run_train(options.train, options.pair, started); });

  const auto decoding = [](examples::Command& command) {
    command.option("--run", options.run, "run folder of a finished training").required();
    command.option("--beam", options.beam, "hypotheses for each sentence; 1 is greedy; that of the preset if not given")
        .check(whole_number(1, 1000));
    command.option("--threads", options.threads, "threads; all cores if not given").check(whole_number(1, 1024));
  };
  examples::Command translate =
      program.subcommand("translate", "Translates standard input, one sentence per line, to standard output.");
  decoding(translate);
  translate.run([] { run_translate(options); });

  examples::Command evaluate =
      program.subcommand("evaluate", "Translates a file and compares with a reference; the last line is JSON.");
  decoding(evaluate);
  evaluate.option("--source", options.source, "sentences, one per line, plain or .gz").required();
  evaluate.option("--reference", options.reference, "their translations").required();
  evaluate.run([] { run_evaluate(options); });
}

}  // namespace
}  // namespace mixtape::translator

int main(int argc, char** argv) {
  const double started = mixtape::examples::seconds_now();
  return mixtape::examples::run_program(
      "translator", "Trains small translators on this machine's CPU, and translates with them.", argc, argv,
      [started](mixtape::examples::Command& program) { mixtape::translator::setup(program, started); });
}
