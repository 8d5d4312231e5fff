#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace mixtape {

/// A callable of at most 160 bytes held in place: recording an op allocates nothing. What it captures must be plain
/// values (sizes, flags); a captured Tensor, which the tape would not know of, does not compile.
template <class Signature>
class InlineFunction;

template <class Result, class... Arguments>
class InlineFunction<Result(Arguments...)> {
 public:
  InlineFunction() = default;

  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, InlineFunction>)
  InlineFunction(F f) {  // NOLINT: lambdas convert
    static_assert(std::is_trivially_copyable_v<F>, "a rule captures plain values only; name tensors in Save{}");
    static_assert(sizeof(F) <= sizeof(bytes_), "a rule captures at most 160 bytes");
    new (bytes_) F(f);
    call_ = [](const void* bytes, Arguments... arguments) -> Result {
      return (*static_cast<const F*>(bytes))(std::forward<Arguments>(arguments)...);
    };
  }

  explicit operator bool() const { return call_ != nullptr; }
  Result operator()(Arguments... arguments) const { return call_(bytes_, std::forward<Arguments>(arguments)...); }

 private:
  alignas(8) std::byte bytes_[160];
  Result (*call_)(const void*, Arguments...) = nullptr;
};

}  // namespace mixtape
