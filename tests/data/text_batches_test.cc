#include "data/text_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "autograd/tensors/random.h"

using namespace mixtape;
using namespace mixtape::data;

namespace {

using Plan = std::vector<std::vector<int64_t>>;

// Pairs of 0 to `longest` tokens a side.
TokenPairs random_pairs(int64_t count, int64_t longest, uint64_t seed) {
  Random random(seed);
  TokenPairs corpus;
  for (auto* side : {&corpus.source, &corpus.target}) {
    for (int64_t i = 0; i < count; ++i) {
      std::vector<int32_t>& tokens = side->emplace_back(static_cast<size_t>(random.below(longest + 1)));
      for (int32_t& token : tokens) token = static_cast<int32_t>(4 + random.below(100));
    }
  }
  return corpus;
}

int64_t cost(const TokenPairs& corpus, int64_t pair) {
  const auto i = static_cast<size_t>(pair);
  return static_cast<int64_t>(std::max(corpus.source[i].size(), corpus.target[i].size())) + 1;
}

int64_t cost(const TokenPairs& corpus, const std::vector<int64_t>& pairs) {
  int64_t sum = 0;
  for (const int64_t pair : pairs) sum += cost(corpus, pair);
  return sum;
}

std::vector<int64_t> all_pairs(const Plan& plan) {
  std::vector<int64_t> all;
  for (const auto& batch : plan) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

std::vector<int64_t> sorted(std::vector<int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<int64_t> up_to(int64_t count) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

std::vector<int32_t> tokens_of(const Packed& packed, int64_t b) {
  const int32_t* data = packed.values.data<int32_t>();
  return {data + packed.bounds.offset(b), data + packed.bounds.offset(b + 1)};
}

// What the decoder is to predict, sentence by sentence.
Packed targets(const TextBatch& batch) { return {batch.target_out, batch.target_in.bounds}; }

std::vector<int32_t> all_tokens(const TextBatch& batch) {
  std::vector<int32_t> all;
  for (const Packed& part : {batch.source, batch.target_in, targets(batch)}) {
    for (int64_t b = 0; b < part.bounds.sequences(); ++b) {
      const std::vector<int32_t> tokens = tokens_of(part, b);
      all.insert(all.end(), tokens.begin(), tokens.end());
      all.push_back(-1);
    }
  }
  return all;
}

// How unlike in length the pairs of a batch are, on average.
double mean_spread(const TokenPairs& corpus, const Plan& plan) {
  double sum = 0;
  for (const auto& batch : plan) {
    int64_t shortest = std::numeric_limits<int64_t>::max(), longest = 0;
    for (const int64_t pair : batch) {
      shortest = std::min(shortest, cost(corpus, pair));
      longest = std::max(longest, cost(corpus, pair));
    }
    sum += static_cast<double>(longest - shortest);
  }
  return sum / static_cast<double>(plan.size());
}

}  // namespace

TEST_CASE("text_batches: the plan is a function of seed and epoch") {
  const TokenPairs corpus = random_pairs(500, 30, 1);
  std::set<Plan> plans;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      const BatchOptions options{.tokens = 200, .bucket = 100, .seed = seed, .epoch = epoch};
      const Plan plan = plan_batches(corpus, options);
      CHECK(plan_batches(corpus, options) == plan);
      plans.insert(plan);
    }
  }
  CHECK(plans.size() == 12);
}

TEST_CASE("text_batches: every pair once an epoch, within the budget") {
  const TokenPairs corpus = random_pairs(700, 40, 2);
  for (const int64_t tokens : {1, 41, 150, 1'000'000}) {
    for (const int64_t bucket : {0, 1, 64, 5000}) {
      for (const bool shuffle : {true, false}) {
        CAPTURE(tokens);
        CAPTURE(bucket);
        const Plan plan =
            plan_batches(corpus, {.tokens = tokens, .bucket = bucket, .seed = 7, .epoch = 1, .shuffle = shuffle});
        CHECK(sorted(all_pairs(plan)) == up_to(700));
        for (const auto& batch : plan) {
          REQUIRE(!batch.empty());
          if (batch.size() > 1) CHECK(cost(corpus, batch) <= tokens);
        }
        if (tokens == 1) CHECK(plan.size() == 700);
        if (tokens == 1'000'000) CHECK(plan.size() == 1);
      }
    }
  }
  CHECK(plan_batches({}, {}).empty());
}

TEST_CASE("text_batches: batches are full") {
  const TokenPairs corpus = random_pairs(700, 40, 3);
  const Plan plan = plan_batches(corpus, {.tokens = 200, .bucket = 100, .seed = 1});
  int64_t total = 0;
  for (const auto& batch : plan) total += cost(corpus, batch);
  CHECK(static_cast<double>(total) > 0.85 * 200 * static_cast<double>(plan.size()));
}

TEST_CASE("text_batches: a bucket brings pairs of like length together") {
  const TokenPairs corpus = random_pairs(2000, 60, 4);
  const auto spread = [&](int64_t bucket) {
    return mean_spread(corpus, plan_batches(corpus, {.tokens = 400, .bucket = bucket, .seed = 5}));
  };
  const double none = spread(1), some = spread(100), all = spread(2000);
  CHECK(some < 0.7 * none);
  CHECK(all < 0.3 * some);

  // Still, batches do not come by length.
  const Plan plan = plan_batches(corpus, {.tokens = 400, .bucket = 2000, .seed = 5});
  int rises = 0;
  for (size_t i = 1; i < plan.size(); ++i) rises += cost(corpus, plan[i][0]) > cost(corpus, plan[i - 1][0]);
  const double share = rises / static_cast<double>(plan.size());
  CHECK(share > 0.3);
  CHECK(share < 0.7);
}

TEST_CASE("text_batches: without shuffling pairs come in order of length, equals in the order of the corpus") {
  const TokenPairs corpus = random_pairs(300, 20, 6);
  const std::vector<int64_t> order = all_pairs(plan_batches(corpus, {.tokens = 100, .shuffle = false}));
  for (size_t i = 1; i < order.size(); ++i) {
    const auto before = std::pair(cost(corpus, order[i - 1]), order[i - 1]);
    CHECK(before < std::pair(cost(corpus, order[i]), order[i]));
  }
}

TEST_CASE("text_batches: a batch has its begin and end marks where they belong") {
  const TokenPairs corpus{{{10, 11}, {}, {12}}, {{20}, {21, 22, 23}, {}}};
  const TextBatch batch = make_batch(corpus, {2, 0, 1});
  CHECK(batch.pairs() == 3);
  CHECK(batch.target_tokens() == 7);
  using Tokens = std::vector<int32_t>;
  CHECK(tokens_of(batch.source, 0) == Tokens{12, Subwords::kEos});
  CHECK(tokens_of(batch.source, 1) == Tokens{10, 11, Subwords::kEos});
  CHECK(tokens_of(batch.source, 2) == Tokens{Subwords::kEos});
  CHECK(tokens_of(batch.target_in, 0) == Tokens{Subwords::kBos});
  CHECK(tokens_of(batch.target_in, 1) == Tokens{Subwords::kBos, 20});
  CHECK(tokens_of(batch.target_in, 2) == Tokens{Subwords::kBos, 21, 22, 23});
  CHECK(tokens_of(targets(batch), 0) == Tokens{Subwords::kEos});
  CHECK(tokens_of(targets(batch), 1) == Tokens{20, Subwords::kEos});
  CHECK(tokens_of(targets(batch), 2) == Tokens{21, 22, 23, Subwords::kEos});
}

TEST_CASE("text_batches: an epoch as planned, and resumed in its middle") {
  const TokenPairs corpus = random_pairs(200, 15, 7);
  BatchOptions options{.tokens = 100, .bucket = 50, .seed = 3, .epoch = 2};
  const Plan plan = plan_batches(corpus, options);
  std::vector<std::vector<int32_t>> whole;
  for (const TextBatch& batch : batches(corpus, options)) {
    CHECK(batch.index == static_cast<int64_t>(whole.size()));
    whole.push_back(all_tokens(batch));
    CHECK(whole.back() == all_tokens(make_batch(corpus, plan[static_cast<size_t>(batch.index)])));
  }
  REQUIRE(whole.size() == plan.size());
  for (const size_t first : {size_t{0}, size_t{1}, plan.size() / 2, plan.size() - 1, plan.size(), plan.size() + 3}) {
    CAPTURE(first);
    options.first = static_cast<int64_t>(first);
    size_t next = first;
    Prefetch<TextBatch> rest = batches(corpus, options);
    CHECK(rest.size() == static_cast<int64_t>(plan.size() - std::min(first, plan.size())));
    for (const TextBatch& batch : rest) {
      CHECK(batch.index == static_cast<int64_t>(next));
      REQUIRE(next < whole.size());
      CHECK(all_tokens(batch) == whole[next++]);
    }
    CHECK(next == std::max(first, plan.size()));
  }
}

TEST_CASE("text_batches: pairs with too long a side are left out together") {
  const ParallelText text{{{"a b c", "d"}, {"a", "b"}, {"b", "a b c d e f"}, {"c", "c"}}};
  const Subwords subwords = Subwords::train(all_sentences(text), {.vocab = 300});
  const TokenPairs all = encode_pairs(text, subwords);
  REQUIRE(all.size() == 4);
  CHECK(subwords.decode(all.target[2]) == "a b c d e f");
  const auto longest = static_cast<int64_t>(all.source[0].size()) - 1;
  const TokenPairs some = encode_pairs(text, subwords, longest);
  REQUIRE(some.size() == 2);
  CHECK(subwords.decode(some.source[0]) == "a");
  CHECK(subwords.decode(some.target[0]) == "b");
  CHECK(subwords.decode(some.source[1]) == "c");
}
