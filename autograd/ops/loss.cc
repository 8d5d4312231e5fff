#include "autograd/kernels/cross_entropy.h"

#include <algorithm>
#include <numeric>

#include "autograd/ops/internal/common.h"

namespace mixtape {
namespace {

void check(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options) {
  check_differentiable("cross_entropy", logits);
  check_index("cross_entropy", targets);
  if (logits.rank() != 2 || !(targets.shape() == Shape{logits.size(0)})) {
    fail(fmt::format("cross_entropy: logits {} and targets {}, expected [N, V] and [N]", to_string(logits.shape()),
                     to_string(targets.shape())));
  }
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    fail(fmt::format("cross_entropy: label smoothing {}, expected 0 to 1", options.label_smoothing));
  }
  const int32_t* target = targets.data<int32_t>();
  for (int64_t i = 0; i < targets.elements(); ++i) {
    if (target[i] != options.ignored && (target[i] < 0 || target[i] >= logits.size(1))) {
      fail(fmt::format("cross_entropy: target {} in row {}, expected 0 to {}", target[i], i, logits.size(1) - 1));
    }
  }
}

// What the sum over rows is multiplied with: 1, or one over the number of rows that count.
double weight_of(int64_t counted, Reduction reduction) {
  if (reduction == Reduction::sum) return 1;
  return counted == 0 ? 0 : 1.0 / static_cast<double>(counted);
}

double weight_of(const Tensor& targets, const CrossEntropyOptions& options) {
  const int32_t* target = targets.data<int32_t>();
  const auto ignored = std::count(target, target + targets.elements(), options.ignored);
  return weight_of(targets.elements() - ignored, options.reduction);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, CrossEntropyOptions options) {
  check(logits, targets, options);
  const int64_t rows = logits.size(0), n = logits.size(1);
  const double weight = weight_of(targets, options), smoothing = options.label_smoothing;
  Tensor losses = Tensor::uninitialized({rows}, logits.dtype()), log_sums = Tensor::like(losses);
  Tensor y = Tensor::uninitialized({}, logits.dtype());
  dispatch(logits.dtype(), [&]<class T>(T) {
    T* loss = losses.mutable_data<T>();
    kernels::cross_entropy(logits.data<T>(), targets.data<int32_t>(), options.ignored, smoothing, loss,
                           log_sums.mutable_data<T>(), rows, n);
    *y.mutable_data<T>() = static_cast<T>(weight * std::accumulate(loss, loss + rows, 0.0));
  });
  return record(
      "cross_entropy", {logits, targets}, y,
      Rule(logits, Save{logits, targets, log_sums},
           [ignored = options.ignored, smoothing, weight, rows, n](
               const Tensor& dy, const Tensor& logits, const Tensor& targets, const Tensor& log_sums, Gradient& dx) {
             // dx = dy * weight * (softmax(x) - smoothed target)
             dispatch(logits.dtype(), [&]<class T>(T) {
               kernels::cross_entropy_grad(logits.data<T>(), targets.data<int32_t>(), ignored, smoothing,
                                           log_sums.data<T>(), dy.item() * weight, dx.data<T>(), rows, n);
             });
           },
           {.overwrite = {logits}}),
      [options](const Tensor& logits, const Tensor& targets) {
        return composed::cross_entropy(logits, targets, options);
      });
}

Tensor composed::cross_entropy(const Tensor& logits, const Tensor& targets, CrossEntropyOptions options) {
  const int64_t rows = logits.size(0), n = logits.size(1);
  std::vector<double> share(static_cast<size_t>(rows * n), 0);  // of each class in the target of each row
  for (int64_t row = 0; row < rows; ++row) {
    const int32_t target = targets.data<int32_t>()[row];
    if (target == options.ignored) continue;
    for (int64_t k = 0; k < n; ++k) {
      share[static_cast<size_t>(row * n + k)] =
          options.label_smoothing / static_cast<double>(n) + (k == target ? 1 - options.label_smoothing : 0);
    }
  }
  return sum(composed::log_softmax(logits) * Tensor::from(share, logits.shape(), logits.dtype())) *
         -weight_of(targets, options);
}

Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, SoftCrossEntropyOptions options) {
  check_same_dtype("soft_cross_entropy", logits, targets);
  if (logits.rank() != 2 || !(targets.shape() == logits.shape())) {
    fail(fmt::format("soft_cross_entropy: logits {} and targets {}, expected [N, V] both", to_string(logits.shape()),
                     to_string(targets.shape())));
  }
  if (logits.size(1) == 0 && logits.size(0) > 0)
    fail(fmt::format("soft_cross_entropy: logits {}, expected at least one class", to_string(logits.shape())));
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    fail(fmt::format("soft_cross_entropy: label smoothing {}, expected 0 to 1", options.label_smoothing));
  if (Tape::tracks(targets)) return composed::soft_cross_entropy(logits, targets, options);
  const int64_t rows = logits.size(0), n = logits.size(1);
  const double weight = weight_of(rows, options.reduction), smoothing = options.label_smoothing;
  Tensor losses = Tensor::uninitialized({rows}, logits.dtype()), log_sums = Tensor::like(losses);
  Tensor y = Tensor::uninitialized({}, logits.dtype());
  dispatch(logits.dtype(), [&]<class T>(T) {
    T* loss = losses.mutable_data<T>();
    kernels::soft_cross_entropy(logits.data<T>(), targets.data<T>(), smoothing, loss, log_sums.mutable_data<T>(), rows,
                                n);
    *y.mutable_data<T>() = static_cast<T>(weight * std::accumulate(loss, loss + rows, 0.0));
  });
  return record("soft_cross_entropy", {logits, targets}, y,
                Rule(logits, Save{logits, targets, log_sums},
                     [smoothing, weight, rows, n](const Tensor& dy, const Tensor& logits, const Tensor& targets,
                                                  const Tensor& log_sums, Gradient& dx) {
                       // dx = dy * weight * (softmax(x) * sum(smoothed target) - smoothed target)
                       dispatch(logits.dtype(), [&]<class T>(T) {
                         kernels::soft_cross_entropy_grad(logits.data<T>(), targets.data<T>(), smoothing,
                                                          log_sums.data<T>(), dy.item() * weight, dx.data<T>(), rows,
                                                          n);
                       });
                     },
                     {.overwrite = {logits}}),
                [options](const Tensor& logits, const Tensor& targets) {
                  return composed::soft_cross_entropy(logits, targets, options);
                });
}

Tensor composed::soft_cross_entropy(const Tensor& logits, const Tensor& targets, SoftCrossEntropyOptions options) {
  const double smoothing = options.label_smoothing, flat = smoothing / static_cast<double>(logits.size(1));
  const Tensor smoothed = targets * (1 - smoothing) + flat;
  return sum(composed::log_softmax(logits) * smoothed) * -weight_of(logits.size(0), options.reduction);
}

}  // namespace mixtape
