#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape::data {

/// How well scores of classes agree with labels, added up batch by batch.
class Classification {
 public:
  /// `classes` is V. Throws unless it is at least 1.
  explicit Classification(int64_t classes);

  /// Adds a batch.   logits: f32 or f64 [B, V]  labels: i32 [B], each in [0, V). Throws if they are not.
  void add(const Tensor& logits, const Tensor& labels);

  int64_t count() const { return static_cast<int64_t>(outcomes_.size()); }

  /// The share whose label has the largest logit, 0 to 1; of equal logits the first counts. NaN before the first batch,
  /// here and below.
  double accuracy() const { return top_k(1); }
  /// The share whose label is among the k largest logits. Throws unless 1 <= k <= V.
  double top_k(int64_t k) const;
  /// Mean cross entropy in nats.
  double loss() const;

  /// How often label `row` was predicted as `column`: V x V counts, row by row.
  const std::vector<int64_t>& confusion() const { return confusion_; }

  /// Expected calibration error, 0 to 1: how far confidence (the largest probability) and accuracy are apart, averaged
  /// over `bins` equal ranges of confidence weighted by what falls into each (Guo et al. 2017, "On Calibration of
  /// Modern Neural Networks").
  double calibration_error(int64_t bins = 15) const;

  /// What became of one example, in the order they were added.
  struct Outcome {
    int32_t label = 0, predicted = 0;
    int32_t rank = 0;      ///< how many classes came before the label; 0: right
    float confidence = 0;  ///< probability of the predicted class
    float label_loss = 0;  ///< -log of the label's probability
  };
  const std::vector<Outcome>& outcomes() const { return outcomes_; }

 private:
  int64_t classes_;
  std::vector<Outcome> outcomes_;
  std::vector<int64_t> confusion_;
};

}  // namespace mixtape::data
