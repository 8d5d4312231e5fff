#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops/packed.h"
#include "data/parallel_text.h"
#include "data/prefetch.h"
#include "data/subwords.h"

namespace mixtape::data {

/// A parallel corpus as token ids, without marks of begin and end; source[i] and target[i] belong together.
struct TokenPairs {
  std::vector<std::vector<int32_t>> source, target;

  int64_t size() const { return static_cast<int64_t>(source.size()); }
};

/// Encodes both sides. Pairs with a side of more than `longest` tokens are left out; 0 leaves none out.
TokenPairs encode_pairs(const ParallelText& text, const Subwords& subwords, int64_t longest = 0);

/// Some sentence pairs, packed.
struct TextBatch {
  Packed source;      ///< each sentence and its end mark
  Packed target_in;   ///< begin mark, then the sentence: what the decoder is given
  Tensor target_out;  ///< i32, the sentence, then its end mark: what the decoder is to predict, row by row of target_in
  int64_t index = 0;  ///< number of the batch within the epoch

  int64_t pairs() const { return source.bounds.sequences(); }
  int64_t target_tokens() const { return target_out.elements(); }
};

struct BatchOptions {
  int64_t tokens = 4096;  ///< budget of a batch: the sum over its pairs of the longer side's tokens, marks counted. A
                          ///< longer pair is alone.
  int64_t bucket = 2048;  ///< within so many shuffled pairs, pairs of like length go together; 1: none do
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t first = 0;    ///< batches to leave out at the start, to go on within an epoch
  bool shuffle = true;  ///< otherwise pairs come in order of length
};

/// Which pairs are in which batch of an epoch: a function of the lengths, (seed, epoch) and the options, so it is the
/// same on every run.
std::vector<std::vector<int64_t>> plan_batches(const TokenPairs& corpus, const BatchOptions& options);

/// A batch of the given pairs.
TextBatch make_batch(const TokenPairs& corpus, const std::vector<int64_t>& pairs);

/// The batches of an epoch, made ahead by a thread of their own. The corpus must outlive them.
Prefetch<TextBatch> batches(const TokenPairs& corpus, const BatchOptions& options = {});

}  // namespace mixtape::data
