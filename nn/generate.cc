#include "nn/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

constexpr double kImpossible = -1e30;

struct Beam {
  std::vector<std::vector<int32_t>> live;  // tokens so far of the K unfinished hypotheses
  std::vector<double> log_probability;     // of each
  std::vector<Hypothesis> finished;
  bool done = false;
};

double normalised(double log_probability, size_t length, double power) {
  return log_probability / std::pow(static_cast<double>(length), power);
}

const Hypothesis& best(const std::vector<Hypothesis>& finished) {
  return *std::max_element(finished.begin(), finished.end(),
                           [](const auto& a, const auto& b) { return a.score < b.score; });
}

// True if the search of a sentence may end with the best finished hypothesis. At best an unfinished one ends without
// losing probability, after one more token or at the longest length.
bool settled(const Beam& beam, const SearchOptions& options) {
  if (beam.finished.empty()) return beam.live.empty();
  const double reached = best(beam.finished).score, power = options.length_power;
  const bool enough = static_cast<int64_t>(beam.finished.size()) >= options.beam;
  bool ahead = false, hopeless = true;
  for (size_t i = 0; i < beam.live.size(); ++i) {
    const double p = beam.log_probability[i];
    const size_t length = beam.live[i].size();
    const double attainable =
        std::max(normalised(p, length + 1, power), normalised(p, static_cast<size_t>(options.longest), power));
    ahead = ahead || normalised(p, length, power) > reached;
    hopeless = hopeless && attainable <= reached;
  }
  return hopeless || (enough && !ahead);
}

// Hypothesis `parent` extended by `token`.
struct Candidate {
  double log_probability;
  int64_t parent;
  int32_t token;
};

// The 2 K best extensions of the K hypotheses. At least K of them do not end.
std::vector<Candidate> best_candidates(const Beam& beam, const Tensor& log_probabilities, int64_t first_row,
                                       const SearchOptions& options) {
  const int64_t vocab = log_probabilities.size(1);
  const auto wanted = static_cast<size_t>(2 * options.beam);
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
    return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
  };
  std::vector<Candidate> heap;  // its front is the worst
  for (int64_t k = 0; k < options.beam; ++k) {
    const double before = beam.log_probability[static_cast<size_t>(k)];
    if (before <= kImpossible) continue;
    for (int64_t v = 0; v < vocab; ++v) {
      const double step = dispatch(log_probabilities.dtype(), [&]<class T>(T) {
        return static_cast<double>(log_probabilities.data<T>()[(first_row + k) * vocab + v]);
      });
      const Candidate candidate{before + step, k, static_cast<int32_t>(v)};
      if (!(candidate.log_probability > kImpossible)) continue;
      if (heap.size() == wanted && !better(candidate, heap.front())) continue;
      if (std::find(options.never.begin(), options.never.end(), candidate.token) != options.never.end()) continue;
      if (heap.size() == wanted) {
        std::pop_heap(heap.begin(), heap.end(), better);
        heap.pop_back();
      }
      heap.push_back(candidate);
      std::push_heap(heap.begin(), heap.end(), better);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), better);
  return heap;
}

void check_beam(const SearchOptions& options) {
  if (options.beam < 1) fail(fmt::format("beam_search: a beam of {}, expected at least 1", options.beam));
}

// One step of the search of a sentence: writes the next tokens and parents of its K rows.
void advance(Beam& beam, const std::vector<Candidate>& candidates, int64_t first_row, bool last,
             const SearchOptions& options, int32_t* tokens, int32_t* parents) {
  Beam next;
  next.finished = std::move(beam.finished);
  for (const Candidate& candidate : candidates) {
    if (static_cast<int64_t>(next.live.size()) == options.beam) break;
    const std::vector<int32_t>& before = beam.live[static_cast<size_t>(candidate.parent)];
    const double score = normalised(candidate.log_probability, before.size() + 1, options.length_power);
    if (candidate.token == options.end) {
      next.finished.push_back({before, score});
      continue;
    }
    const size_t row = next.live.size();
    next.live.push_back(before);
    next.live.back().push_back(candidate.token);
    next.log_probability.push_back(candidate.log_probability);
    tokens[row] = candidate.token;
    parents[row] = static_cast<int32_t>(first_row + candidate.parent);
    if (last) next.finished.push_back({next.live.back(), score});
  }
  next.done = last || settled(next, options);
  while (static_cast<int64_t>(next.live.size()) < options.beam) {  // unused rows
    const size_t row = next.live.size();
    next.live.emplace_back();
    next.log_probability.push_back(kImpossible);
    tokens[row] = options.end;
    parents[row] = static_cast<int32_t>(first_row);
  }
  beam = std::move(next);
}

}  // namespace

std::vector<Hypothesis> beam_search(int64_t sentences, const NextToken& next, const SearchOptions& options) {
  check_beam(options);
  if (options.longest < 1) fail(fmt::format("beam_search: at most {} tokens, expected at least 1", options.longest));
  const int64_t rows = sentences * options.beam;
  std::vector<Beam> beams(static_cast<size_t>(sentences));
  for (Beam& beam : beams) {
    beam.live.resize(static_cast<size_t>(options.beam));
    beam.log_probability.assign(static_cast<size_t>(options.beam), kImpossible);
    beam.log_probability[0] = 0;
  }
  Tensor tokens = Tensor::full({rows}, options.begin, i32), parents;
  for (int64_t length = 1; length <= options.longest && rows > 0; ++length) {
    const Tensor scores = next(tokens, parents);
    if (scores.rank() != 2 || scores.size(0) != rows) {
      fail(fmt::format("beam_search: scores {} for {} hypotheses, expected [{}, V]", to_string(scores.shape()), rows,
                       rows));
    }
    const Tensor log_probabilities = log_softmax(scores);
    tokens = Tensor::full({rows}, options.end, i32);
    parents = Tensor::range(rows);
    bool all_done = true;
    for (int64_t s = 0; s < sentences; ++s) {
      Beam& beam = beams[static_cast<size_t>(s)];
      if (beam.done) continue;
      const int64_t row = s * options.beam;
      const auto candidates = best_candidates(beam, log_probabilities, row, options);
      advance(beam, candidates, row, length == options.longest, options, tokens.mutable_data<int32_t>() + row,
              parents.mutable_data<int32_t>() + row);
      all_done = all_done && beam.done;
    }
    if (all_done) break;
  }
  std::vector<Hypothesis> result;
  for (const Beam& beam : beams) {
    if (beam.finished.empty())
      fail(fmt::format("beam_search: no token may follow in sentence {}; are the scores NaN?", result.size()));
    result.push_back(best(beam.finished));
  }
  return result;
}

std::vector<Hypothesis> beam_search(const AutoregressiveModel& model, const Decoding& start,
                                    const SearchOptions& options) {
  check_beam(options);
  if (start.rows % options.beam != 0)
    fail(fmt::format("beam_search: {} rows for a beam of {}, expected a multiple", start.rows, options.beam));
  const Pause pause;
  Decoding decoding = start;
  SearchOptions within = options;
  within.longest = std::min(options.longest, start.longest - start.position);
  return beam_search(
      start.rows / options.beam,
      [&](const Tensor& tokens, const Tensor& parents) {
        if (parents) decoding.reorder(parents);
        return model.step(decoding, tokens);
      },
      within);
}

std::vector<Hypothesis> translate(const Transformer& model, const Packed& source, const SearchOptions& options) {
  const Pause pause;
  return beam_search(model, model.start(source, options.beam), options);
}

namespace {

int32_t draw_token(const Tensor& scores, Random& random, const SampleOptions& options) {
  const int64_t vocab = scores.elements();
  const TopK best = top_k(scores.view({vocab}),
                          options.temperature == 0 ? 1 : (options.top_k > 0 ? std::min(options.top_k, vocab) : vocab));
  if (options.temperature == 0) return best.indices.data<int32_t>()[0];
  const std::vector<double> weights = softmax(best.values / options.temperature).values();
  double left = random.uniform();
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    if (left < weights[i]) return best.indices.data<int32_t>()[i];
    left -= weights[i];
  }
  return best.indices.data<int32_t>()[weights.size() - 1];
}

}  // namespace

std::vector<int32_t> sample(const AutoregressiveModel& model, const Decoding& start, std::vector<int32_t> prompt,
                            Random& random, const SampleOptions& options) {
  if (prompt.empty()) fail("sample: an empty prompt, expected at least one token");
  if (!(options.temperature >= 0))
    fail(fmt::format("sample: a temperature of {}, expected at least 0", options.temperature));
  const int64_t window = start.longest - start.position;
  if (start.rows != 1) fail(fmt::format("sample: {} rows, expected 1", start.rows));
  if (window < 1) fail(fmt::format("sample: the model has no position left after {}", start.longest));
  const Pause pause;
  std::vector<int32_t> tokens = std::move(prompt);
  Decoding decoding = start;
  size_t consumed = tokens.size() - static_cast<size_t>(std::min(std::ssize(tokens), window));
  for (int64_t made = 0; made < options.tokens; ++made) {
    if (decoding.position == start.longest) {
      decoding = start;
      consumed = tokens.size() - static_cast<size_t>((window + 1) / 2);
    }
    Tensor scores;
    for (; consumed < tokens.size(); ++consumed)
      scores = model.step(decoding, Tensor::from(std::vector<int32_t>{tokens[consumed]}, {1}));
    tokens.push_back(draw_token(scores, random, options));
    if (tokens.back() == options.end) break;
  }
  return tokens;
}

std::vector<int32_t> sample(const LanguageModel& model, std::vector<int32_t> prompt, Random& random,
                            const SampleOptions& options) {
  return sample(model, model.start(), std::move(prompt), random, options);
}

}  // namespace mixtape::nn
