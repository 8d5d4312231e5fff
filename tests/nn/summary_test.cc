#include "nn/summary.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sstream>

#include "nn/nn.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

// The line of a summary that starts with `start`.
std::string line_of(const std::string& text, const std::string& start) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(start)) return line;
  return "";
}

}  // namespace

TEST_CASE("summary: layers in the order of their calls, with parameters and FLOPs") {
  Random random(1);
  const nn::FeedForward model(100, 400, nn::Activation::relu, 0.1, random);
  const std::string text = nn::summary(model, [&] { model(Tensor::zeros({3, 100})); });
  CHECK(text ==
        "layer  type                 output             parameters            FLOPs\n"
        "       FeedForward          [3, 100]                    0          480,000\n"
        "up     Linear               [3, 400]               40,400          240,000\n"
        "down   Linear               [3, 100]               40,100          240,000\n"
        "total: 80,500 parameters, 480,000 FLOPs of matrix products in one forward pass\n");
}

TEST_CASE("summary: a Transformer's parameters and FLOPs") {
  Random random(1);
  const nn::Transformer model({.vocab = 20, .block = {.width = 8, .heads = 2, .feed_forward = 16}, .layers = 1},
                              random);
  const Packed source = pack({{1, 2, 3}, {4, 5}}), target = pack({{6, 7}, {8}});
  const std::string text = nn::summary(model, [&] { model(source, target); });
  CAPTURE(text);
  const int64_t projections = 2 * 8 * 8, pairs = 2 * 2 * 8, hidden = 2 * 2 * 8 * 16;
  const int64_t encoder = 5 * 4 * projections + (9 + 4) * pairs + 5 * hidden;
  const int64_t self = 3 * 4 * projections + (4 + 1) * pairs;
  const int64_t cross = (2 * 3 + 2 * 5) * projections + (2 * 3 + 1 * 2) * pairs;
  const int64_t all = encoder + self + cross + 3 * hidden + 3 * 2 * 8 * 20;
  CHECK(text.ends_with(fmt::format("total: {} parameters, {} FLOPs of matrix products in one forward pass\n",
                                   fmt::group_digits(nn::count_parameters(model)), fmt::group_digits(all))));
  CHECK(line_of(text, "encoder ").ends_with(fmt::format("  {}", fmt::group_digits(encoder))));
  CHECK(line_of(text, "decoder.layer.0.attention ").ends_with(fmt::format("  {}", fmt::group_digits(self))));
  CHECK(line_of(text, "decoder.layer.0.cross ").ends_with(fmt::format("  {}", fmt::group_digits(cross))));
  CHECK(line_of(text, "decoder.layer.0.cross.key ").find(" 72 ") != std::string::npos);
  CHECK(line_of(text, "embedding ").find("[5, 8]") != std::string::npos);
  CHECK(line_of(text, "embedding ").find(" 160 ") != std::string::npos);
  size_t models = 0;
  for (size_t at = text.find(" Transformer "); at != std::string::npos; at = text.find(" Transformer ", at + 1))
    ++models;
  CHECK(models == 1);
}

TEST_CASE("summary: it records nothing on the tape") {
  Random random(1);
  const nn::Linear model(2, 3, random);
  Tape tape(random.at(0));
  nn::summary(model, [&] { model(Tensor::zeros({1, 2})); });
  CHECK(tape.size() == 0);
  model(Tensor::zeros({1, 2}));
  CHECK(tape.size() == 3);
}
