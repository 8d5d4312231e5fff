#include "nn/transformer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/threads.h"
#include "nn/generate.h"
#include "nn/language_model.h"
#include "tests/nn/numbers.h"

using namespace mixtape;

namespace {

using Sentences = std::vector<std::vector<int32_t>>;
constexpr int32_t kTargetBegin = 2, kTargetEnd = 3, kFirstWord = 4;

nn::TransformerOptions small(double dropout = 0) {
  return {.vocab = 12,
          .block = {.width = 16, .heads = 2, .feed_forward = 24, .dropout = dropout, .attention_dropout = dropout},
          .layers = 2,
          .decoder_layers = 1,
          .longest = 16};
}

nn::Transformer f64_model(const nn::TransformerOptions& options = small()) {
  Random random(9);
  nn::Transformer model(options, random);
  nn::to(model, f64);
  return model;
}

Sentences from(const Sentences& all, size_t first, size_t last) {
  return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(last)};
}

Sentences with_begin(Sentences sentences) {
  for (auto& sentence : sentences) sentence.insert(sentence.begin(), kTargetBegin);
  return sentences;
}
Sentences with_end(Sentences sentences) {
  for (auto& sentence : sentences) sentence.push_back(kTargetEnd);
  return sentences;
}

// The loss of each target given its source, summed over the tokens.
Tensor loss_of(const nn::Transformer& model, const Sentences& sources, const Sentences& targets,
               Reduction reduction = Reduction::sum) {
  return cross_entropy(model(pack(with_end(sources)), pack(with_begin(targets))), pack(with_end(targets)).values,
                       {.label_smoothing = 0.1, .reduction = reduction});
}

// A step of plain gradient descent.
void descend(const NamedTensors& parameters, double rate) {
  for (const NamedTensor& x : parameters) {
    x.tensor.copy_from(x.tensor.detach() + x.tensor.gradient() * -rate);
    x.tensor.clear_gradient();
  }
}

NamedTensors zeros_like(const NamedTensors& tensors) {
  NamedTensors zeros = clone(tensors);
  for (const NamedTensor& x : zeros) x.tensor.fill(0);
  return zeros;
}

}  // namespace

TEST_CASE("transformer: a sentence gets the same logits in a batch as alone") {
  Random random(1);
  const Sentences sources = random_sentences({3, 7, 1, 5}, kFirstWord, 12, random);
  const Sentences targets = random_sentences({4, 1, 6, 2}, kFirstWord, 12, random);
  nn::TransformerOptions options = small(0.3);
  for (const bool pre_norm : {true, false}) {
    options.block.pre_norm = pre_norm;
    const nn::Transformer model = f64_model(options);
    const Packed target = pack(targets);
    const Tensor logits = model(pack(sources), target);
    REQUIRE(logits.shape() == Shape{target.bounds.rows(), 12});
    for (size_t i = 0; i < sources.size(); ++i) {
      const auto b = static_cast<int64_t>(i);
      const Tensor alone = model(pack({sources[i]}), pack({targets[i]}));
      CHECK(largest_difference(alone, logits.view_rows(target.bounds.offset(b), target.bounds.offset(b + 1))) < 1e-12);
    }
  }
}

TEST_CASE("transformer: a sentence's logits do not depend on the others of its batch, only on its past") {
  Random random(2);
  const nn::Transformer model = f64_model();
  Sentences sources = random_sentences({3, 5, 2}, kFirstWord, 12, random);
  Sentences targets = random_sentences({4, 4, 3}, kFirstWord, 12, random);
  const Tensor before = model(pack(sources), pack(targets));
  sources[0][1] = 1;
  targets[2][0] = 1;
  targets[1][2] = 1;  // rows 4 to 7 of the batch: changes 6 and 7
  const Tensor after = model(pack(sources), pack(targets));
  const auto change = [&](int64_t first, int64_t last) {
    return largest_difference(before.view_rows(first, last), after.view_rows(first, last));
  };
  CHECK(change(0, 1) > 1e-6);
  CHECK(change(4, 6) < 1e-12);
  CHECK(change(6, 7) > 1e-6);
  CHECK(change(8, 9) > 1e-6);
}

TEST_CASE("transformer: numbers of parameters") {
  Random random(1);
  const nn::Transformer base({.vocab = 8000, .block = {.width = 256, .heads = 4, .feed_forward = 1024}, .layers = 3},
                             random);
  CHECK(nn::count_parameters(base) == 7'578'624);
  const nn::Transformer toy({.vocab = 200, .block = {.width = 64, .heads = 4, .feed_forward = 128}, .layers = 1},
                            random);
  CHECK(nn::count_parameters(toy) == 96'768);
  const nn::Transformer untied(
      {.vocab = 200, .block = {.width = 64, .heads = 4, .feed_forward = 128}, .layers = 1, .tie_embeddings = false},
      random);
  CHECK(nn::count_parameters(untied) == 96'768 + 2 * 200 * 64 + 200);
  const nn::LanguageModel characters(
      {.vocab = 65, .block = {.width = 128, .heads = 4}, .layers = 4, .longest = 64, .tie_embeddings = true}, random);
  CHECK(nn::count_parameters(characters) == 809'856);
}

TEST_CASE("transformer: the tied table is one tensor, with gradients from all three uses") {
  const nn::Transformer model = f64_model();
  const Tensor& table = model.embedding.weight;
  // Word 5 is in the source only, 6 in the target only, 7 nowhere.
  Tape tape;
  tape.backward(slice(model(pack({{5}}), pack({{6}})), 1, 8, 9), {.seed = Tensor::ones({1, 1}, f64)});
  for (const int64_t word : {5, 6, 8}) CHECK(largest_magnitude(table.gradient().view_rows(word, word + 1)) > 1e-6);
  CHECK(largest_magnitude(table.gradient().view_rows(7, 8)) == 0);
}

TEST_CASE("transformer: k accumulated tapes equal one joined batch") {
  Random random(3);
  const Sentences sources = random_sentences({3, 6, 1, 5, 4, 2}, kFirstWord, 12, random);
  const Sentences targets = random_sentences({2, 5, 3, 4, 1, 6}, kFirstWord, 12, random);
  const nn::Transformer model = f64_model();
  const auto accumulate = [&](size_t parts) {
    double loss = 0;
    for (size_t i = 0; i < parts; ++i) {
      const size_t first = i * 6 / parts, last = (i + 1) * 6 / parts;
      Tape tape(random.at(0));
      const Tensor part = loss_of(model, from(sources, first, last), from(targets, first, last));
      loss += part.item();
      tape.backward(part);
    }
    NamedTensors gradients;
    for (const NamedTensor& x : nn::parameters(model)) {
      gradients.push_back({x.name, x.tensor.gradient()});
      x.tensor.clear_gradient();
    }
    gradients.push_back({"loss", Tensor::scalar(loss, f64)});
    return gradients;
  };
  const NamedTensors joined = accumulate(1);
  for (const size_t parts : {2u, 3u, 6u}) {
    const NamedTensors summed = accumulate(parts);
    for (size_t i = 0; i < joined.size(); ++i) {
      CAPTURE(joined[i].name);
      CHECK(largest_difference(summed[i].tensor, joined[i].tensor) <=
            1e-12 * std::max(1.0, largest_magnitude(joined[i].tensor)));
    }
  }
}

TEST_CASE("transformer: the same bits for any number of threads") {
  const int before = threads();
  const auto train = [](int count) {
    set_threads(count);
    Random random(4);
    const nn::Transformer model({.vocab = 60, .block = {.width = 64, .heads = 4, .feed_forward = 128}, .layers = 1},
                                random);
    const NamedTensors parameters = nn::parameters(model);
    for (int64_t step = 0; step < 20; ++step) {
      const Sentences words = random_sentences({9, 17, 4, 12, 20, 7, 15, 11, 3, 14, 8, 19}, kFirstWord, 60, random);
      Tape tape(random.at(step));
      tape.backward(loss_of(model, words, words, Reduction::mean));
      descend(parameters, 0.1);
    }
    return clone(parameters);
  };
  const NamedTensors one = train(1);
  for (const int count : {1, 2, 3, 5}) {
    CAPTURE(count);
    const NamedTensors many = train(count);
    for (size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i].tensor, many[i].tensor));
  }
  set_threads(before);
}

TEST_CASE("transformer: it learns to copy") {
  const int before = threads();
  set_threads(1);  // too small for more
  Random random(5);
  const nn::Transformer model(
      {.vocab = 12,
       .block = {.width = 32, .heads = 2, .feed_forward = 64, .dropout = 0, .attention_dropout = 0},
       .layers = 1},
      random);
  const NamedTensors parameters = nn::parameters(model);
  NamedTensors means = zeros_like(parameters), squares = zeros_like(parameters);
  double first = 0, last = 0;
  for (int64_t step = 0; step < 400; ++step) {
    const Sentences words = random_sentences({3, 4, 5, 3, 4, 5, 3, 4, 5, 4, 4, 4}, kFirstWord, 12, random);
    Tape tape(random.at(step));
    const Tensor loss =
        cross_entropy(model(pack(with_end(words)), pack(with_begin(words))), pack(with_end(words)).values);
    tape.backward(loss);
    for (size_t i = 0; i < parameters.size(); ++i) {  // Adam, plain
      const Tensor &parameter = parameters[i].tensor, gradient = parameter.gradient();
      means[i].tensor.copy_from(means[i].tensor * 0.9 + gradient * 0.1);
      squares[i].tensor.copy_from(squares[i].tensor * 0.98 + gradient * gradient * 0.02);
      parameter.set_gradient(means[i].tensor / (sqrt(squares[i].tensor) + 1e-9));
    }
    descend(parameters, 3e-3);
    (step < 20 ? first : last) = step < 20 ? first + loss.item() / 20 : last * 0.9 + loss.item() * 0.1;
  }
  set_threads(before);
  CHECK(first > 1.5);
  CHECK(last < 0.2);
  const Sentences unseen = random_sentences({4, 5, 3}, kFirstWord, 12, random);
  const auto copies = nn::translate(model, pack(with_end(unseen)), {.beam = 3, .longest = 8});
  int equal = 0;
  for (size_t i = 0; i < unseen.size(); ++i) equal += copies[i].tokens == unseen[i];
  CHECK(equal >= 2);
}

TEST_CASE("transformer: mismatched inputs throw") {
  const nn::Transformer model = f64_model();
  CHECK_THROWS_WITH_AS(model(pack({{1}, {2}}), pack({{1}})), "transformer: 2 source and 1 target sequences", Error);
  CHECK_THROWS_WITH_AS(model(pack({{12}}), pack({{1}})), doctest::Contains("(in embedding)"), Error);
  CHECK_THROWS_WITH_AS(model(pack({std::vector<int32_t>(17, 5)}), pack({{1}})), doctest::Contains("(in positions)"),
                       Error);
  Random random(1);
  CHECK_THROWS_AS(nn::Transformer({.vocab = 5, .block = {.width = 6, .heads = 4}}, random), Error);
}

TEST_CASE("transformer: empty batches and empty sentences") {
  const nn::Transformer model = f64_model();
  CHECK(model(pack({}), pack({})).shape() == Shape{0, 12});
  const Tensor y = model(pack({{}, {5}}), pack({{6}, {7}}));
  CHECK(largest_difference(y.view_rows(1, 2), model(pack({{5}}), pack({{7}}))) < 1e-12);
  CHECK(largest_magnitude(y) < 1e6);
}
