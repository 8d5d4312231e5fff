#pragma once

#include <span>
#include <type_traits>

#include "autograd/tensors/inline_function.h"
#include "autograd/tensors/tensor.h"

namespace mixtape {

/// The op in terms of simpler ops, a function of its inputs: its documentation, the oracle of its tests, and its rule
/// when backward is recorded.
class Composed {
 public:
  Composed() = default;
  template <class F>
  Composed(F f) : function_(spread(f)) {}  // NOLINT: functions and lambdas convert

  explicit operator bool() const { return static_cast<bool>(function_); }
  Tensor operator()(std::span<const Tensor> inputs) const { return function_(inputs); }

 private:
  using Function = InlineFunction<Tensor(std::span<const Tensor>)>;

  template <class F>
  static Function spread(F f) {
    using Input = const Tensor&;
    if constexpr (std::is_invocable_v<F, Input>) {
      return [f](std::span<const Tensor> in) { return f(in[0]); };
    } else if constexpr (std::is_invocable_v<F, Input, Input>) {
      return [f](std::span<const Tensor> in) { return f(in[0], in[1]); };
    } else if constexpr (std::is_invocable_v<F, Input, Input, Input>) {
      return [f](std::span<const Tensor> in) { return f(in[0], in[1], in[2]); };
    } else {
      return f;
    }
  }

  Function function_;
};

}  // namespace mixtape
