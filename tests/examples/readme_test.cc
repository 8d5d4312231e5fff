// The code of README.md, compiled and run as it stands there.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/gradcheck.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "data/text_batches.h"
#include "data/toy_translation.h"
#include "nn/nn.h"
#include "optim/optim.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;

namespace {

struct GatedLinear : nn::Layer<GatedLinear> {  // y = gelu(x W' + b) * (x V' + c)
  nn::Linear gate, value;

  GatedLinear(int64_t in, int64_t out, Random& random) : gate(in, out, random), value(in, out, random) {}

  Tensor forward(const Tensor& x) const { return gelu(gate(x)) * value(x); }
  void visit(auto&& each) const {
    each("gate", gate);
    each("value", value);
  }
};

/// y = log(1 + exp(x)), element by element.
Tensor softplus(const Tensor& x) {
  Tensor y;
  {
    const Pause pause;  // what is computed here is not recorded
    y = log(exp(x) + 1.0);
  }
  return record("softplus", {x}, y, Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) {
                  return dy / (exp(-x) + 1.0);  // dx = dy * sigmoid(x)
                }));
}

std::string source_text(const std::string& path) {
  std::ifstream file(std::string(MIXTAPE_SOURCE_DIR) + "/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> code_blocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  const std::string open = "```cpp\n", close = "```";
  for (size_t at = markdown.find(open); at != std::string::npos; at = markdown.find(open, at)) {
    at += open.size();
    blocks.push_back(markdown.substr(at, markdown.find(close, at) - at));
  }
  return blocks;
}

void check_compiled(const std::string& markdown, const std::vector<std::string>& sources) {
  std::string all;
  for (const std::string& source : sources) all += squeezed(source_text(source));
  const std::vector<std::string> blocks = code_blocks(source_text(markdown));
  CHECK(blocks.size() >= 3);
  for (const std::string& block : blocks) {
    CAPTURE(block);
    CHECK(all.find(squeezed(block)) != std::string::npos);
  }
}

}  // namespace

namespace {

struct Enough {};

// Throws once the model has been run so many times: an epoch would take longer than a test should.
class StopAfter {
 public:
  explicit StopAfter(int steps)
      : observer_({}, [this, steps](const std::string&, const std::string& type, const Tensor& logits) {
          if (type != "Transformer") return;
          CHECK(logits.size(1) == 1500);
          if (++steps_ == steps) throw Enough();
        }) {}
  int steps() const { return steps_; }

 private:
  int steps_ = 0;
  nn::ForwardObserver observer_;
};

void train(int64_t epochs) {
  Random random(42);
  const data::ParallelText text = data::toy_translation().train;
  const data::Subwords subwords = data::Subwords::train(data::all_sentences(text), {.vocab = 1500});
  const data::TokenPairs corpus = data::encode_pairs(text, subwords);
  const nn::Transformer model({.vocab = subwords.vocab_size(), .block = {.width = 64, .heads = 4}, .layers = 1},
                              random);
  optim::Adam optimizer(nn::parameters(model), {.learning_rate = 1e-3, .betas = {0.9, 0.98}});

  int64_t step = 0;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const data::TextBatch& batch : data::batches(corpus, {.tokens = 2048, .seed = 42, .epoch = epoch})) {
      Tape tape(random.at(step++));  // everything below is recorded while `tape` is in scope
      const Tensor logits = model(batch.source, batch.target_in);
      const Tensor loss = cross_entropy(logits, batch.target_out, {.label_smoothing = 0.1});
      tape.backward(loss);  // adds into each parameter's gradient
      optim::clip_grad_norm(optimizer, 1.0);
      optimizer.step();  // updates, then clears the gradients
    }
  }
}

}  // namespace

TEST_CASE("readme: the training loop") {
  const StopAfter enough(20);
  CHECK_THROWS_AS(train(1), Enough);
  CHECK(enough.steps() == 20);
}

TEST_CASE("readme: layer, op and tape") {
  Random random(1);
  const GatedLinear layer(3, 2, random);
  CHECK(layer(Tensor::zeros({4, 3})).shape() == Shape{4, 2});

  const Tensor x = random.normal({2, 3}, 0, 1, f64);
  const GradcheckResult result = gradcheck([](const std::vector<Tensor>& in) { return softplus(in[0]); }, {x});
  if (!result) fmt::print("{}\n", result.message);
  CHECK(result.passed);

  Tape tape;  // only differentiates: dropout passes everything through
  tape.watch(x);
  const Tensor y = sum(softmax(x) * x);
  const std::vector<Tensor> dx = tape.gradients(y, {x}, {.record = true});  // the backward pass is on the tape, too
  fmt::print("{}", to_string(tape));
  CHECK(to_string(tape).find("backward") != std::string::npos);
}

TEST_CASE("readme: every block of code is compiled") {
  check_compiled("README.md", {"tests/examples/readme_test.cc"});
  check_compiled("examples/extend/README.md", {"examples/extend/softplus.h", "examples/extend/hard_swish.h",
                                               "examples/extend/gated_linear.h", "tests/examples/extend_test.cc"});
}
