#include "data/text_batches.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "autograd/tensors/random.h"

namespace mixtape::data {
namespace {

// Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
}

int64_t cost_of(const TokenPairs& corpus, int64_t pair) {
  const auto i = static_cast<size_t>(pair);
  return static_cast<int64_t>(std::max(corpus.source[i].size(), corpus.target[i].size())) + 1;
}

void append(const std::vector<int32_t>& tokens, std::vector<int32_t>& all) {
  all.insert(all.end(), tokens.begin(), tokens.end());
}

}  // namespace

TokenPairs encode_pairs(const ParallelText& text, const Subwords& subwords, int64_t longest) {
  TokenPairs corpus;
  const auto too_long = [&](const std::vector<int32_t>& tokens) {
    return longest > 0 && static_cast<int64_t>(tokens.size()) > longest;
  };
  for (const SentencePair& pair : text.pairs) {
    std::vector<int32_t> source = subwords.encode(pair.source), target = subwords.encode(pair.target);
    if (too_long(source) || too_long(target)) continue;
    corpus.source.push_back(std::move(source));
    corpus.target.push_back(std::move(target));
  }
  return corpus;
}

std::vector<std::vector<int64_t>> plan_batches(const TokenPairs& corpus, const BatchOptions& options) {
  std::vector<int64_t> order(static_cast<size_t>(corpus.size()));
  std::iota(order.begin(), order.end(), 0);
  Random random(options.seed * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(options.epoch));
  if (options.shuffle) shuffle(order, random);
  const auto shorter = [&](int64_t a, int64_t b) { return cost_of(corpus, a) < cost_of(corpus, b); };
  const size_t bucket = options.shuffle ? static_cast<size_t>(std::max<int64_t>(options.bucket, 1)) : order.size();
  for (size_t first = 0; first < order.size(); first += bucket) {
    const size_t last = std::min(order.size(), first + bucket);
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(first),
                     order.begin() + static_cast<std::ptrdiff_t>(last), shorter);
  }
  std::vector<std::vector<int64_t>> plan;
  int64_t used = 0;
  for (int64_t pair : order) {
    const int64_t cost = cost_of(corpus, pair);
    if (plan.empty() || used + cost > options.tokens) {
      plan.emplace_back();
      used = 0;
    }
    plan.back().push_back(pair);
    used += cost;
  }
  if (options.shuffle) shuffle(plan, random);
  return plan;
}

TextBatch make_batch(const TokenPairs& corpus, const std::vector<int64_t>& pairs) {
  std::vector<int64_t> source_lengths, target_lengths;
  std::vector<int32_t> source, target_in, target_out;
  for (int64_t pair : pairs) {
    const std::vector<int32_t>& from = corpus.source[static_cast<size_t>(pair)];
    const std::vector<int32_t>& to = corpus.target[static_cast<size_t>(pair)];
    append(from, source);
    source.push_back(Subwords::kEos);
    target_in.push_back(Subwords::kBos);
    append(to, target_in);
    append(to, target_out);
    target_out.push_back(Subwords::kEos);
    source_lengths.push_back(static_cast<int64_t>(from.size()) + 1);
    target_lengths.push_back(static_cast<int64_t>(to.size()) + 1);
  }
  const auto tensor = [](const std::vector<int32_t>& tokens) {
    return Tensor::from(tokens, {static_cast<int64_t>(tokens.size())});
  };
  return {.source = {tensor(source), Bounds(source_lengths)},
          .target_in = {tensor(target_in), Bounds(target_lengths)},
          .target_out = tensor(target_out)};
}

Prefetch<TextBatch> batches(const TokenPairs& corpus, const BatchOptions& options) {
  const auto plan = std::make_shared<const std::vector<std::vector<int64_t>>>(plan_batches(corpus, options));
  const auto count = static_cast<int64_t>(plan->size());
  return Prefetch<TextBatch>(std::min(options.first, count), count, [plan, &corpus](int64_t index) {
    TextBatch batch = make_batch(corpus, (*plan)[static_cast<size_t>(index)]);
    batch.index = index;
    return batch;
  });
}

}  // namespace mixtape::data
