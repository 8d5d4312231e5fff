#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/tensors/inline_function.h"
#include "autograd/tensors/tensor.h"

namespace mixtape {

/// What a rule reads in backward. Named, so that the tape knows its bytes and notices if it is overwritten.
template <size_t N>
struct Save {
  std::array<Tensor, N> tensors;
};
template <class... T>
Save(const T&...) -> Save<sizeof...(T)>;

/// Where a kernel writes the gradient of one input.
struct Gradient {
  Tensor tensor;            ///< memory of the input's shape and dtype
  bool accumulate = false;  ///< add to what it holds, instead of overwriting it; only where the rule May

  template <class T>
  T* data() const {
    return tensor.mutable_data<T>();
  }
};

/// What a rule can do with memory. Whether it does is the tape's decision, which nobody can tell from the numbers.
struct May {
  std::array<Tensor, 3> overwrite = {};  ///< its i-th gradient may be written over this tensor of Save ...
  bool overwrite_dy = false;             ///< ... or its first one over dy
  bool accumulate = false;               ///< its first gradient may be added to what has reached the input so far
  bool read_product = false;             ///< dy may be a deferred product (see Fusion)
};

/// How many parameters a function has after the first, of either kind that rules know.
template <class F>
struct RuleParameters : RuleParameters<decltype(&F::operator())> {};
template <class C, class R, class... P>
struct RuleParameters<R (C::*)(const Tensor&, P...) const> {
  using Result = R;
  static constexpr size_t kGradients = (size_t{0} + ... + std::is_same_v<P, Gradient&>);
  static constexpr size_t kSaved = sizeof...(P) - kGradients;
};

/// How the gradient of an input follows from dy, the gradient of the op's output, and from what was saved:
///
///     Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y) { return dy * y; })
///
/// A rule written with ops returns the gradient, and can itself be recorded. One that calls a kernel is given where to
/// write it, `Rule(x, Save{y}, [](const Tensor& dy, const Tensor& y, Gradient& dx) { .. })`, and then its op names a
/// composed definition; a kernel that makes several gradients together is one rule `Rule({a, b}, Save{c}, [](const
/// Tensor& dy, const Tensor& c, Gradient& da, Gradient& db) { .. })`. The rules of an op may be played in any order,
/// and only those whose inputs want a gradient are. They write to nothing but a Gradient, and capture plain values.
class Rule {
 public:
  static constexpr size_t kMostSaved = 12, kMostInputs = 3;

  template <size_t N, class F>
  Rule(Tensors inputs, Save<N>&& save, const F& f, const May& may = {})
      : function_(spread(f, std::make_index_sequence<N>(), std::make_index_sequence<RuleParameters<F>::kGradients>())),
        kernel_(RuleParameters<F>::kGradients > 0),
        input_count_(kernel_ ? RuleParameters<F>::kGradients : 1),
        saved_count_(N),
        may_(may) {
    static_assert(RuleParameters<F>::kSaved == N, "a rule takes dy, what Save{} names and, with a kernel, Gradients");
    static_assert(N <= kMostSaved && RuleParameters<F>::kGradients <= kMostInputs, "too many tensors for one rule");
    std::move(save.tensors.begin(), save.tensors.end(), saved_.begin());
    std::copy_n(inputs.begin(), std::min(input_count_, inputs.size()), inputs_.begin());
  }

 private:
  friend class Tape;
  /// reads: dy and the saved tensors.
  using Function = InlineFunction<void(std::span<const Tensor> reads, std::span<Gradient> gradients)>;

  template <class F, size_t... S, size_t... G>
  static Function spread(const F& f, std::index_sequence<S...>, std::index_sequence<G...>) {
    return [f](std::span<const Tensor> reads, std::span<Gradient> gradients) {
      if constexpr (sizeof...(G) > 0) {
        f(reads[0], reads[S + 1]..., gradients[G]...);
      } else {
        gradients[0].tensor = f(reads[0], reads[S + 1]...);
      }
    };
  }

  Function function_;
  bool kernel_;
  size_t input_count_, saved_count_;
  std::array<Tensor, kMostInputs> inputs_;
  std::array<Tensor, kMostSaved> saved_;
  May may_;
};

/// The rules of an op: a view that lives as long as the call.
class Rules {
 public:
  Rules(const Rule& only) : span_(&only, 1) {}  // NOLINT: a single rule needs no braces
  Rules(std::initializer_list<Rule> list) : span_(list.begin(), list.size()) {}
  Rules(const std::vector<Rule>& list) : span_(list) {}  // NOLINT

  auto begin() const { return span_.begin(); }
  auto end() const { return span_.end(); }

 private:
  std::span<const Rule> span_;
};

}  // namespace mixtape
