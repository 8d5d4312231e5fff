#include "data/chrf.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "autograd/tensors/error.h"
#include "data/ngrams.h"
#include "data/unicode.h"

namespace mixtape::data {
namespace {

constexpr double kBetaSquared = 4;

ChrfScore score_counts(const std::array<NgramCounts, 6>& counts) {
  ChrfScore result;
  double lengths = 0;
  for (const NgramCounts& count : counts) {
    if (count.hypothesis == 0 || count.reference == 0) continue;
    result.precision += static_cast<double>(count.matched) / static_cast<double>(count.hypothesis);
    result.recall += static_cast<double>(count.matched) / static_cast<double>(count.reference);
    lengths += 1;
  }
  if (result.precision + result.recall == 0) return {};
  result.precision /= lengths;
  result.recall /= lengths;
  result.score =
      100 * (1 + kBetaSquared) * result.precision * result.recall / (kBetaSquared * result.precision + result.recall);
  return result;
}

}  // namespace

ChrfScore chrf(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
  if (hypotheses.size() != references.size()) {
    fail(fmt::format("chrf: {} hypotheses, but {} references", hypotheses.size(), references.size()));
  }
  if (hypotheses.empty()) fail("chrf: there are no sentences");

  std::array<NgramCounts, 6> counts;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const std::u32string hypothesis = to_visible_code_points(hypotheses[i]);
    const std::u32string reference = to_visible_code_points(references[i]);
    for (size_t n = 0; n < counts.size(); ++n) {
      NgramCounts count = count_ngrams(hypothesis, reference, static_cast<int64_t>(n + 1));
      if (count.reference == 0) count.hypothesis = 0;  // as sacreBLEU: no misses where nothing could be hit
      counts[n] += count;
    }
  }
  return score_counts(counts);
}

std::string chrf_signature() { return "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:mixtape"; }

std::string ChrfScore::to_string() const { return fmt::format("chrF2|{} = {:.2f}", chrf_signature(), score); }

}  // namespace mixtape::data
