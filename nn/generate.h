#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "autograd/ops/packed.h"
#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"
#include "nn/language_model.h"
#include "nn/transformer.h"

namespace mixtape::nn {

/// One step of a search. `tokens` are the latest tokens of B K hypotheses, i32 [B K]; hypothesis i extends the former
/// hypothesis parents[i] (in the first step, parents is undefined). Returns the logits of the next token, [B K, V].
using NextToken = std::function<Tensor(const Tensor& tokens, const Tensor& parents)>;

struct SearchOptions {
  int64_t beam = 1;         ///< K: unfinished hypotheses of each sentence; 1 is greedy search
  int64_t longest = 128;    ///< tokens of a hypothesis, `end` included; one that reaches it counts as finished
  double length_power = 1;  ///< the score is log p / length^length_power (Wu et al. 2016, without the coverage term)
  int32_t begin = 2;        ///< the token before the first of every hypothesis
  int32_t end = 3;          ///< the token that ends one
  std::vector<int32_t> never = {};  ///< tokens that are never generated
};

struct Hypothesis {
  std::vector<int32_t> tokens;  ///< without begin and end
  double score = 0;             ///< log p / length^length_power, `end` included
};

/// Beam search: the hypothesis with the best score found for each of `sentences` sentences. Each step extends the K
/// most probable unfinished hypotheses of a sentence. Its search ends when it has K finished hypotheses and none of the
/// unfinished ones currently scores better than the best of them, or when none can any more. Throws if a sentence has
/// no hypothesis at all: the probability of every token is 0 or NaN, or it is in `never`.
std::vector<Hypothesis> beam_search(int64_t sentences, const NextToken& next, const SearchOptions& options);

/// The same with a model. `start` is a state made by its start(), with K rows for each sentence. To continue prompts,
/// call step() with their tokens first, except for the last, which is `begin`. Hypotheses are also limited by the
/// positions that the model has left. Throws if the number of rows is no multiple of K.
std::vector<Hypothesis> beam_search(const AutoregressiveModel& model, const Decoding& start,
                                    const SearchOptions& options);

/// The translation of each source.
std::vector<Hypothesis> translate(const Transformer& model, const Packed& source, const SearchOptions& options);

struct SampleOptions {
  int64_t tokens = 256;             ///< how many to generate
  double temperature = 1;           ///< divides the logits, at least 0; 0 takes the most probable token
  int64_t top_k = 0;                ///< sample from the k most probable tokens only; 0: all
  std::optional<int32_t> end = {};  ///< stop after this token
};

/// `prompt` (not empty), followed by tokens sampled from the model. `start` is a state of the model with one row. When
/// the model has no positions left, it starts again from `start` with the later half of the tokens it has seen. Throws
/// if start has several rows or no position left.
std::vector<int32_t> sample(const AutoregressiveModel& model, const Decoding& start, std::vector<int32_t> prompt,
                            Random& random, const SampleOptions& options = {});
/// The same from an empty state.
std::vector<int32_t> sample(const LanguageModel& model, std::vector<int32_t> prompt, Random& random,
                            const SampleOptions& options = {});

}  // namespace mixtape::nn
