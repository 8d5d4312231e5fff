#include "nn/generate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "tests/nn/numbers.h"

using namespace mixtape;
using nn::Hypothesis;
using nn::SearchOptions;

namespace {

using Tokens = std::vector<int32_t>;
constexpr int32_t kBegin = 2, kEnd = 3;

// Log-probabilities of every next token after `tokens` (without begin) in sentence `sentence`.
using Predictor = std::function<std::vector<double>(int64_t sentence, const Tokens& tokens)>;

std::vector<double> normalised(const std::vector<double>& scores) {
  double total = 0;
  for (const double x : scores) total += std::exp(x);
  std::vector<double> result;
  for (const double x : scores) result.push_back(x - std::log(total));
  return result;
}

// A tree of random probabilities, a function of (seed, sentence, tokens so far).
Predictor random_tree(uint64_t seed, size_t vocab, double spread) {
  return [=](int64_t sentence, const Tokens& tokens) {
    uint64_t place = seed * 1000 + static_cast<uint64_t>(sentence) + 1;
    for (const int32_t token : tokens) place = place * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(token) + 1;
    Random random(place);
    std::vector<double> scores(vocab);
    for (double& score : scores) score = random.normal(0, spread);
    return normalised(scores);
  };
}

// The model as beam_search calls it: tracks the hypotheses, and counts the calls.
struct Player {
  Predictor model;
  int64_t sentences;
  std::vector<Tokens> rows = {};
  int calls = 0;

  Tensor operator()(const Tensor& tokens, const Tensor& parents) {
    ++calls;
    std::vector<Tokens> next;
    for (int64_t i = 0; i < tokens.elements(); ++i) {
      if (!parents) {
        REQUIRE(tokens.data<int32_t>()[i] == kBegin);
        next.emplace_back();
        continue;
      }
      next.push_back(rows[static_cast<size_t>(parents.data<int32_t>()[i])]);
      next.back().push_back(tokens.data<int32_t>()[i]);
    }
    rows = std::move(next);
    std::vector<double> scores;
    const auto beam = static_cast<int64_t>(rows.size()) / sentences;
    for (size_t i = 0; i < rows.size(); ++i) {
      for (const double x : model(static_cast<int64_t>(i) / beam, rows[i])) scores.push_back(x + 0.25);
    }
    const auto count = static_cast<int64_t>(rows.size());
    return Tensor::from(scores, {count, static_cast<int64_t>(scores.size()) / count}, f64);
  }
};

std::vector<Hypothesis> search(const Predictor& model, const SearchOptions& options, int64_t sentences = 1) {
  Player player{model, sentences};
  return nn::beam_search(sentences, std::ref(player), options);
}

bool may_produce(const SearchOptions& options, int32_t token) {
  return std::find(options.never.begin(), options.never.end(), token) == options.never.end();
}

double score_of(double log_probability, size_t length, const SearchOptions& options) {
  return log_probability / std::pow(static_cast<double>(length), options.length_power);
}

// Tries every sequence.
void try_all(const Predictor& model, const SearchOptions& options, const Tokens& tokens, double before,
             Hypothesis& best) {
  const std::vector<double> next = model(0, tokens);
  for (size_t v = 0; v < next.size(); ++v) {
    const auto token = static_cast<int32_t>(v);
    if (!may_produce(options, token)) continue;
    Tokens longer = tokens;
    if (token != options.end) longer.push_back(token);
    const double log_probability = before + next[v];
    const bool last = static_cast<int64_t>(tokens.size()) + 1 == options.longest;
    if (token == options.end || last) {
      const double score = score_of(log_probability, tokens.size() + 1, options);
      if (score > best.score) best = {longer, score};
    } else {
      try_all(model, options, longer, log_probability, best);
    }
  }
}

Hypothesis exhaustive(const Predictor& model, const SearchOptions& options) {
  Hypothesis best{{}, -std::numeric_limits<double>::infinity()};
  try_all(model, options, {}, 0, best);
  return best;
}

Hypothesis greedy(const Predictor& model, const SearchOptions& options, int64_t sentence = 0) {
  Tokens tokens;
  double log_probability = 0;
  for (int64_t length = 1;; ++length) {
    const std::vector<double> next = model(sentence, tokens);
    int32_t best = -1;
    for (size_t v = 0; v < next.size(); ++v) {
      const auto token = static_cast<int32_t>(v);
      if (may_produce(options, token) && (best < 0 || next[v] > next[static_cast<size_t>(best)])) best = token;
    }
    log_probability += next[static_cast<size_t>(best)];
    if (best != options.end) tokens.push_back(best);
    if (best == options.end || length == options.longest)
      return {tokens, score_of(log_probability, static_cast<size_t>(length), options)};
  }
}

void check_equal(const Hypothesis& a, const Hypothesis& b) {
  CHECK(a.tokens == b.tokens);
  CHECK(a.score == doctest::Approx(b.score).epsilon(1e-9));
}

nn::Transformer small_transformer(uint64_t seed, int64_t vocab = 9) {
  Random random(seed);
  nn::Transformer model(
      {.vocab = vocab, .block = {.width = 8, .heads = 2, .feed_forward = 12}, .layers = 2, .longest = 12}, random);
  nn::to(model, f64);
  for (const NamedTensor& x : nn::parameters(model)) x.tensor.copy_from(random.normal(x.tensor.shape(), 0, 0.7));
  return model;
}

nn::LanguageModel small_language_model(uint64_t seed, int64_t vocab, int64_t longest) {
  Random random(seed);
  nn::LanguageModel model({.vocab = vocab, .block = {.width = 8, .heads = 2}, .layers = 2, .longest = longest}, random);
  nn::to(model, f64);
  for (const NamedTensor& x : nn::parameters(model)) x.tensor.copy_from(random.normal(x.tensor.shape(), 0, 0.7));
  return model;
}

Tensor last_row(const Tensor& x) { return x.view_rows(x.size(0) - 1, x.size(0)); }

// The model without a cache: each token is computed from the prompt of the sentence and all tokens so far.
Predictor uncached(const nn::LanguageModel& model, const std::vector<Tokens>& prompts) {
  return [&model, prompts](int64_t sentence, const Tokens& tokens) {
    Tokens text = prompts[static_cast<size_t>(sentence)];
    text.insert(text.end(), tokens.begin(), tokens.end());
    return normalised(last_row(model(pack({text}))).values());
  };
}

// The model without a cache: each token is computed from all of the target so far.
Predictor uncached(const nn::Transformer& model, const std::vector<Tokens>& sources) {
  return [&model, sources](int64_t sentence, const Tokens& tokens) {
    Tokens target{kBegin};
    target.insert(target.end(), tokens.begin(), tokens.end());
    const Tensor scores = model(pack({sources[static_cast<size_t>(sentence)]}), pack({target}));
    return normalised(last_row(scores).values());
  };
}

}  // namespace

TEST_CASE("generate: a beam of one is greedy search") {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const Predictor tree = random_tree(seed, 6, 1.5);
    for (const double power : {0.0, 1.0}) {
      const SearchOptions options{.beam = 1, .longest = 6, .length_power = power, .never = {kBegin}};
      check_equal(search(tree, options)[0], greedy(tree, options));
    }
  }
}

TEST_CASE("generate: a wide enough beam finds what exhaustive search finds") {
  int differs_from_greedy = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const Predictor tree = random_tree(seed, 4, 2);
    for (const double power : {-0.5, 0.0, 0.6, 1.0, 2.5}) {
      CAPTURE(power);
      SearchOptions options{.beam = 400, .longest = 5, .length_power = power};
      check_equal(search(tree, options)[0], exhaustive(tree, options));
      options.never = {kBegin};
      options.beam = 40;
      const Hypothesis best = exhaustive(tree, options);
      check_equal(search(tree, options)[0], best);
      differs_from_greedy += greedy(tree, options).tokens != best.tokens;
    }
  }
  CHECK(differs_from_greedy > 20);
}

TEST_CASE("generate: a wider beam scores better on average, and never better than the best") {
  double narrow = 0, wide = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Predictor tree = random_tree(seed, 5, 2);
    const SearchOptions two{.beam = 2, .longest = 5}, eight{.beam = 8, .longest = 5};
    const double best = exhaustive(tree, two).score;
    const double of_two = search(tree, two)[0].score, of_eight = search(tree, eight)[0].score;
    CHECK(of_two <= best + 1e-12);
    CHECK(of_eight <= best + 1e-12);
    narrow += of_two;
    wide += of_eight;
  }
  CHECK(wide > narrow);
}

TEST_CASE("generate: length_power trades short against long hypotheses") {
  // `end` at once with probability 0.5, or token 0 (0.45) followed by 0, 0, end with certainty.
  const Predictor model = [](int64_t, const Tokens& tokens) -> std::vector<double> {
    if (tokens.empty()) return {std::log(0.45), std::log(0.03), std::log(0.02), std::log(0.5)};
    if (tokens[0] != 0 || tokens.size() == 3) return normalised({-30, -30, -30, 0});
    return normalised({0, -30, -30, -30});
  };
  const Hypothesis shorter = search(model, {.beam = 2, .longest = 6, .length_power = 0})[0];
  CHECK(shorter.tokens.empty());
  CHECK(shorter.score == doctest::Approx(std::log(0.5)));
  const Hypothesis longer = search(model, {.beam = 2, .longest = 6, .length_power = 1})[0];
  CHECK(longer.tokens == Tokens{0, 0, 0});
  CHECK(longer.score == doctest::Approx(std::log(0.45) / 4));
  CHECK(search(model, {.beam = 1, .longest = 6, .length_power = 1})[0].tokens.empty());
}

TEST_CASE("generate: a search ends when no unfinished hypothesis can become the best") {
  const Predictor sure = [](int64_t, const Tokens&) -> std::vector<double> {
    return {std::log(0.05), std::log(0.03), std::log(0.02), std::log(0.9)};
  };
  for (const double power : {0.0, 1.0}) {
    Player player{sure, 1};
    nn::beam_search(1, std::ref(player), {.beam = 4, .longest = 20, .length_power = power});
    CHECK(player.calls <= 2);
  }
  // log 0.5 is worse than log 0.4 over 3 tokens: the search must continue, at least to the end of the second
  // hypothesis.
  const Predictor unsure = [](int64_t, const Tokens& tokens) -> std::vector<double> {
    if (tokens.empty()) return {std::log(0.4), std::log(0.06), std::log(0.04), std::log(0.5)};
    return tokens.size() < 2 ? normalised({0, -40, -40, -40}) : normalised({-40, -40, -40, 0});
  };
  Player player{unsure, 1};
  const Hypothesis best = nn::beam_search(1, std::ref(player), {.beam = 2, .longest = 50})[0];
  CHECK(best.tokens == Tokens{0, 0});
  CHECK(player.calls == 3);
}

TEST_CASE("generate: tokens that are never generated, and the longest hypothesis") {
  const Predictor tree = random_tree(3, 6, 1);
  for (const int64_t beam : {1, 3}) {
    const SearchOptions options{.beam = beam, .longest = 4, .never = {kBegin, 0, kEnd}};
    const Hypothesis found = search(tree, options)[0];
    CHECK(found.tokens.size() == 4);
    for (const int32_t token : found.tokens) CHECK((token == 1 || token >= 4));
  }
  const Hypothesis one = search(tree, {.beam = 2, .longest = 1, .never = {kEnd}})[0];
  CHECK(one.tokens.size() == 1);
}

TEST_CASE("generate: sentences of a batch are searched independently") {
  const Predictor tree = random_tree(5, 6, 1.5);
  for (const int64_t beam : {1, 2, 5}) {
    const SearchOptions options{.beam = beam, .longest = 7, .never = {kBegin}};
    const std::vector<Hypothesis> all = search(tree, options, 6);
    REQUIRE(all.size() == 6);
    for (int64_t s = 0; s < 6; ++s) {
      const Predictor alone = [&](int64_t, const Tokens& tokens) { return tree(s, tokens); };
      check_equal(search(alone, options)[0], all[static_cast<size_t>(s)]);
    }
  }
  CHECK(search(tree, {.beam = 2}, 0).empty());
}

TEST_CASE("generate: errors of beam_search") {
  const Predictor tree = random_tree(1, 5, 1);
  CHECK_THROWS_WITH_AS(search(tree, {.beam = 0}), "beam_search: a beam of 0, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(search(tree, {.longest = 0}), "beam_search: at most 0 tokens, expected at least 1", Error);
  CHECK_THROWS_WITH_AS(search(tree, {.never = {0, 1, 2, 3, 4}}), doctest::Contains("no token may follow in sentence 0"),
                       Error);
  const Predictor broken = [](int64_t, const Tokens&) { return std::vector<double>(5, NAN); };
  CHECK_THROWS_WITH_AS(search(broken, {}), doctest::Contains("no token may follow"), Error);
  const nn::NextToken flat = [](const Tensor& tokens, const Tensor&) { return Tensor::zeros(tokens.shape()); };
  CHECK_THROWS_WITH_AS(nn::beam_search(1, flat, {.beam = 2}),
                       "beam_search: scores [2] for 2 hypotheses, expected [2, V]", Error);
}

TEST_CASE("generate: decoding with cached keys and values gives the scores of forward") {
  Random random(1);
  const nn::Transformer model = small_transformer(1);
  const std::vector<Tokens> sources = random_sentences({3, 6, 1}, 4, 9, random);
  const int64_t beam = 2;
  nn::Decoding decoding = model.start(pack(sources), beam);
  std::vector<Tokens> rows(6, Tokens{kBegin});
  for (int step = 0; step < 8; ++step) {
    std::vector<int32_t> last;
    for (const Tokens& row : rows) last.push_back(row.back());
    const Tensor scores = model.step(decoding, Tensor::from(last, {6}));
    REQUIRE(scores.shape() == Shape{6, 9});
    std::vector<int32_t> parents;
    std::vector<Tokens> next;
    for (int64_t i = 0; i < 6; ++i) {
      const auto row = static_cast<size_t>(i);
      const Tensor whole = model(pack({sources[row / 2]}), pack({rows[row]}));
      CHECK(largest_difference(last_row(whole), scores.view_rows(i, i + 1)) < 1e-10);
      parents.push_back(static_cast<int32_t>(i / beam * beam + random.below(beam)));
      next.push_back(rows[static_cast<size_t>(parents.back())]);
      next.back().push_back(static_cast<int32_t>(random.below(9)));
    }
    decoding.reorder(Tensor::from(parents, {6}));
    rows = next;
  }
}

TEST_CASE("generate: translate with a beam of one equals greedy search without a cache") {
  Random random(2);
  const nn::Transformer model = small_transformer(3);
  const std::vector<Tokens> sources = random_sentences({3, 5, 1, 4}, 4, 9, random);
  const SearchOptions options{.beam = 1, .longest = 8, .never = {kBegin}};
  const auto found = nn::translate(model, pack(sources), options);
  REQUIRE(found.size() == 4);
  for (size_t i = 0; i < sources.size(); ++i)
    check_equal(found[i], greedy(uncached(model, sources), options, static_cast<int64_t>(i)));
}

TEST_CASE("generate: translate with a wide beam finds the best of all translations, whatever the batch") {
  Random random(3);
  const nn::Transformer model = small_transformer(5, 5);
  const std::vector<Tokens> sources = random_sentences({2, 4, 3}, 0, 5, random);
  for (const double power : {0.0, 1.0}) {
    const SearchOptions options{.beam = 85, .longest = 4, .length_power = power, .never = {kBegin}};
    const auto together = nn::translate(model, pack(sources), options);
    for (size_t i = 0; i < sources.size(); ++i) {
      check_equal(together[i], exhaustive(uncached(model, {sources[i]}), options));
      check_equal(together[i], nn::translate(model, pack({sources[i]}), options)[0]);
    }
  }
  CHECK(nn::translate(model, pack({}), {.beam = 2}).empty());
}

TEST_CASE("generate: translate stops when the model has no positions left, and records nothing") {
  const nn::Transformer model = small_transformer(1);
  Tape tape;
  const auto found = nn::translate(model, pack({{5, 6}}), {.beam = 2, .longest = 500, .never = {kEnd}});
  CHECK(found[0].tokens.size() == 12);
  CHECK(tape.size() == 0);
}

TEST_CASE("generate: beam search with a language model finds the best continuation of each prompt") {
  const nn::LanguageModel model = small_language_model(7, 5, 7);
  const std::vector<Tokens> prompts{{1, 0, kBegin}, {4, 4, kBegin}, {0, 1, kBegin}};
  for (const double power : {0.0, 1.0}) {
    CAPTURE(power);
    const SearchOptions options{.beam = 85, .longest = 4, .length_power = power, .never = {kBegin}};
    nn::Decoding decoding = model.start(3 * options.beam);
    for (size_t t = 0; t < 2; ++t) {
      Tokens column;
      for (const Tokens& prompt : prompts) column.insert(column.end(), static_cast<size_t>(options.beam), prompt[t]);
      model.step(decoding, Tensor::from(column, {decoding.rows}));
    }
    const auto found = nn::beam_search(model, decoding, options);
    REQUIRE(found.size() == 3);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const Predictor alone = uncached(model, {prompts[i]});
      check_equal(found[i], exhaustive(alone, options));
      const SearchOptions narrow{.beam = 1, .longest = 4, .length_power = power, .never = {kBegin}};
      nn::Decoding one = model.start(1);
      for (size_t t = 0; t < 2; ++t) model.step(one, Tensor::from(Tokens{prompts[i][t]}, {1}));
      check_equal(nn::beam_search(model, one, narrow)[0], greedy(alone, narrow));
    }
  }
}

TEST_CASE("generate: a search ends when a language model has no positions left, and does not change its start") {
  const nn::LanguageModel model = small_language_model(2, 6, 5);
  nn::Decoding start = model.start(2);
  model.step(start, Tensor::from(Tokens{1, 1}, {2}));
  const SearchOptions options{.beam = 2, .longest = 500, .never = {kEnd}};
  const Tokens found = nn::beam_search(model, start, options)[0].tokens;
  CHECK(found.size() == 4);
  CHECK(start.position == 1);
  CHECK(nn::beam_search(model, start, options)[0].tokens == found);
}

TEST_CASE("generate: errors of decoding") {
  const nn::LanguageModel model = small_language_model(2, 6, 2);
  nn::Decoding decoding = model.start(3);
  const Tensor tokens = Tensor::full({3}, 1, i32);
  CHECK_THROWS_WITH_AS(nn::beam_search(model, decoding, {.beam = 2}),
                       "beam_search: 3 rows for a beam of 2, expected a multiple", Error);
  CHECK_THROWS_WITH_AS(nn::beam_search(model, decoding, {.beam = 0}), "beam_search: a beam of 0, expected at least 1",
                       Error);
  CHECK_THROWS_WITH_AS(model.step(decoding, Tensor::full({2}, 1, i32)), "step: tokens [2], expected [3]", Error);
  CHECK_THROWS_WITH_AS(decoding.reorder(Tensor::full({2}, 1, i32)), "reorder: parents [2], expected [3]", Error);
  for (int i = 0; i < 2; ++i) model.step(decoding, tokens);
  CHECK_THROWS_WITH_AS(model.step(decoding, tokens), "step: the model has no position left after 2", Error);
  CHECK_THROWS_WITH_AS(nn::beam_search(model, decoding, {.beam = 3}),
                       "beam_search: at most 0 tokens, expected at least 1", Error);
}
