#include "data/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tensors/error.h"

namespace mixtape::data {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Classification::Outcome outcome_of(const double* logits, int64_t classes, int32_t label) {
  const auto best = std::max_element(logits, logits + classes);
  double total = 0;
  for (int64_t i = 0; i < classes; ++i) total += std::exp(logits[i] - *best);
  Classification::Outcome outcome{.label = label, .predicted = static_cast<int32_t>(best - logits)};
  for (int64_t i = 0; i < classes; ++i) {
    outcome.rank += logits[i] > logits[label] || (logits[i] == logits[label] && i < label);
  }
  outcome.confidence = static_cast<float>(1 / total);
  outcome.label_loss = static_cast<float>(std::log(total) + *best - logits[label]);
  return outcome;
}

}  // namespace

Classification::Classification(int64_t classes) : classes_(classes) {
  if (classes < 1) fail(fmt::format("classification: {} classes, expected at least 1", classes));
  confusion_.assign(static_cast<size_t>(classes * classes), 0);
}

void Classification::add(const Tensor& logits, const Tensor& labels) {
  if (logits.rank() != 2 || logits.size(1) != classes_ || logits.dtype() == i32 || labels.rank() != 1 ||
      labels.dtype() != i32 || labels.size(0) != logits.size(0)) {
    fail(fmt::format("classification: logits {} and labels {}, expected [B, {}] and i32 [B]", to_string(logits.shape()),
                     to_string(labels.shape()), classes_));
  }
  const std::vector<double> scores = logits.values();
  const int32_t* label = labels.data<int32_t>();
  for (int64_t i = 0; i < labels.elements(); ++i) {
    if (label[i] < 0 || label[i] >= classes_) {
      fail(fmt::format("classification: label {} of example {}, expected 0 to {}", label[i], i, classes_ - 1));
    }
  }
  for (int64_t i = 0; i < labels.elements(); ++i) {
    const Outcome outcome = outcome_of(scores.data() + i * classes_, classes_, label[i]);
    ++confusion_[static_cast<size_t>(outcome.label * classes_ + outcome.predicted)];
    outcomes_.push_back(outcome);
  }
}

double Classification::top_k(int64_t k) const {
  if (k < 1 || k > classes_) fail(fmt::format("classification: top {} of {} classes", k, classes_));
  if (outcomes_.empty()) return kNone;
  const auto hits =
      std::count_if(outcomes_.begin(), outcomes_.end(), [=](const Outcome& outcome) { return outcome.rank < k; });
  return static_cast<double>(hits) / static_cast<double>(outcomes_.size());
}

double Classification::loss() const {
  if (outcomes_.empty()) return kNone;
  double total = 0;
  for (const Outcome& outcome : outcomes_) total += static_cast<double>(outcome.label_loss);
  return total / static_cast<double>(outcomes_.size());
}

double Classification::calibration_error(int64_t bins) const {
  if (bins < 1) fail(fmt::format("classification: {} bins, expected at least 1", bins));
  if (outcomes_.empty()) return kNone;
  std::vector<double> gap(static_cast<size_t>(bins));  // sum of confidence less the number that was right
  for (const Outcome& outcome : outcomes_) {
    const double confidence = static_cast<double>(outcome.confidence);
    const auto bin = static_cast<int64_t>(confidence * static_cast<double>(bins));
    gap[static_cast<size_t>(std::min(bin, bins - 1))] += confidence - (outcome.rank == 0 ? 1.0 : 0.0);
  }
  double total = 0;
  for (const double each : gap) total += std::abs(each);
  return total / static_cast<double>(outcomes_.size());
}

}  // namespace mixtape::data
