#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <span>

#include "autograd/tensors/inline_function.h"
#include "autograd/tensors/ref.h"
#include "autograd/tensors/tensor.h"

namespace mixtape {

namespace kernels {
enum class Unary;
}

/// What kernels can do with a deferred tensor without having its elements computed first.
struct Fusion {
  std::optional<kernels::Unary> map = {};  ///< it is map(sources[0]), which products apply while they read it
  bool product = false;                    ///< it is the product of its sources, taken as rows
  bool accumulate = false;                 ///< its elements can be added to what is there
};

/// How the elements of a tensor follow from other tensors, its sources: what an op states once so that its result need
/// not be held (recomputation, Chen et al. 2016, "Training deep nets with sublinear memory cost"). Tensor::deferred
/// makes a tensor whose elements are computed when they are first read; a tape that trains saves a tensor that has a
/// Recompute without its elements, and backward computes them again.
class Recompute {
 public:
  /// Computes the elements into `result`, or adds them to it.
  using Function = InlineFunction<void(std::span<const Tensor> sources, const Tensor& result, bool accumulate)>;

  static Ref<Recompute> from(const char* op, Tensors sources, Function function, Fusion fusion = {});

  /// Products are as precise as they were when this was stated. Throws if a source has been overwritten since.
  void operator()(const Tensor& result, bool accumulate = false) const;

  std::span<const Tensor> sources() const;
  DType precision() const { return precision_; }
  const Fusion& fusion() const { return fusion_; }

  std::atomic<int> references{1};  ///< of Ref

 private:
  friend class Ref<Recompute>;
  static constexpr size_t kMostSources = 4;

  Recompute(const char* op, Tensors sources, Function function, Fusion fusion);
  static void destroy(Recompute* recompute) noexcept;

  const char* op_;
  DType precision_;
  Fusion fusion_;
  Function function_;
  size_t count_;
  std::array<Tensor, kMostSources> sources_;
  std::array<uint32_t, kMostSources> versions_;
};

}  // namespace mixtape
