#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "autograd/packed.h"
#include "autograd/random.h"
#include "autograd/tensor.h"
#include "nn/language_model.h"
#include "nn/transformer.h"

namespace mixtape::nn {

/// How a search goes on by one token: `tokens` are the last ones of B K hypotheses, i32 [B K], and hypothesis i goes on
/// from what was hypothesis parents[i] before (undefined: itself). Returns scores of the next token, [B K, V]; they
/// need not be normalised.
using NextToken = std::function<Tensor(const Tensor& tokens, const Tensor& parents)>;

struct SearchOptions {
  int64_t beam = 1;       ///< K: hypotheses kept for each sentence; 1 is greedy search
  int64_t longest = 128;  ///< tokens of a hypothesis, the end among them; one that reaches it is taken as it is
  double length_power =
      1;              ///< a hypothesis scores log p / length^length_power (Wu et al. 2016 without the coverage term)
  int32_t begin = 2;  ///< the token that starts every hypothesis
  int32_t end = 3;    ///< the token that ends one
  std::vector<int32_t> never = {};  ///< tokens that are not produced
};

struct Hypothesis {
  std::vector<int32_t> tokens;  ///< without begin and end
  double score = 0;             ///< log-probability over length^length_power, the end counted
};

/// The best hypothesis found for each of `sentences` sentences, by score. Each step keeps the K most probable
/// unfinished hypotheses of a sentence. A sentence is done when it has K finished ones of which the best scores no
/// worse than any unfinished one does so far, or when no unfinished one can score better than the best finished one any
/// more. Throws if a sentence has no hypothesis at all: every token has probability 0, is NaN or is never produced.
std::vector<Hypothesis> beam_search(int64_t sentences, const NextToken& next, const SearchOptions& options);

/// The same with a model. `start` is a state of it with K rows for each sentence, as the model's start() makes it;
/// where sentences have prompts, step() has taken them in, but for the last token, which is `begin`. A hypothesis has
/// at most as many tokens as the model has positions left. Throws if the rows are no multiple of K.
std::vector<Hypothesis> beam_search(const AutoregressiveModel& model, const Decoding& start,
                                    const SearchOptions& options);

/// The translation of each source.
std::vector<Hypothesis> translate(const Transformer& model, const Packed& source, const SearchOptions& options);

struct SampleOptions {
  int64_t tokens = 256;             ///< how many to produce
  double temperature = 1;           ///< scores are divided by it, at least 0; 0 takes the most probable token
  int64_t top_k = 0;                ///< draw among the k most probable only; 0: all
  std::optional<int32_t> end = {};  ///< stop after this token
};

/// `prompt` (not empty) and the tokens that the model produces after it, drawn from `random`. `start` is a state of the
/// model with one row. The model sees the last tokens only, as many as it has positions: when all are taken it goes
/// back to `start`, and takes in the later half of them. Throws if start has several rows, or no position left.
std::vector<int32_t> sample(const AutoregressiveModel& model, const Decoding& start, std::vector<int32_t> prompt,
                            Random& random, const SampleOptions& options = {});
/// The same from the start of a text.
std::vector<int32_t> sample(const LanguageModel& model, std::vector<int32_t> prompt, Random& random,
                            const SampleOptions& options = {});

}  // namespace mixtape::nn
