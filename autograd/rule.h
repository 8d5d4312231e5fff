#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/tensor.h"

namespace mixtape {

/// The input tensors of an op, or those that it keeps: a view of a list that lives as long as the call.
class Tensors {
 public:
  Tensors() = default;
  Tensors(std::initializer_list<Tensor> list) : span_(list.begin(), list.size()) {}
  Tensors(const std::vector<Tensor>& list) : span_(list) {}

  auto begin() const { return span_.begin(); }
  auto end() const { return span_.end(); }
  size_t size() const { return span_.size(); }

 private:
  std::span<const Tensor> span_;
};

/// What an op needs in backward. Named in record(), so that the tape knows its bytes and notices if it is overwritten.
class Keep : public Tensors {
 public:
  using Tensors::Tensors;
};

/// What a rule returns: one gradient per input of its op, in order. An undefined one means that none flows to that
/// input.
class Gradients {
 public:
  Gradients(Tensor only) : size_(1) { few_[0] = std::move(only); }  // NOLINT: `return dx;` is how rules end
  Gradients(Tensor first, Tensor second) : Gradients(std::move(first)) { few_[size_++] = std::move(second); }
  Gradients(Tensor first, Tensor second, Tensor third) : Gradients(std::move(first), std::move(second)) {
    few_[size_++] = std::move(third);
  }
  Gradients(Tensor first, Tensor second, Tensor third, Tensor fourth)
      : Gradients(std::move(first), std::move(second), std::move(third)) {
    few_[size_++] = std::move(fourth);
  }
  explicit Gradients(std::vector<Tensor> many) : size_(many.size()), many_(std::move(many)) {}

  size_t size() const { return size_; }
  Tensor& operator[](size_t i) { return many_.empty() ? few_[i] : many_[i]; }

 private:
  std::array<Tensor, 4> few_;
  size_t size_ = 0;
  std::vector<Tensor> many_;
};

/// What a rule sees of its line: the tensors that were kept, and which inputs want a gradient.
class Kept {
 public:
  /// A tensor, and what tells that it was written to since: the version of its memory, or other memory altogether. A
  /// tensor that will be computed again has the line that does so.
  struct Item {
    Tensor tensor;
    int32_t again = -1;
    const detail::Storage* storage = nullptr;
    uint32_t version = 0;

    explicit Item(const Tensor& kept) : tensor(kept) {
      if (!tensor) return;
      storage = tensor.body().storage.get();
      version = storage->version;
    }
    static Item computed_again(int32_t line) {
      Item item({});
      item.again = line;
      return item;
    }
    bool overwritten() const {
      return tensor && again < 0 && (tensor.body().storage.get() != storage || storage->version != version);
    }
  };
  /// `sums`: the gradients of the tape's lines as far as they are known, or nothing.
  Kept(std::span<Item> items, std::span<const int32_t> inputs, const std::vector<char>& needed, bool last_use,
       std::span<Tensor> sums = {})
      : items_(items), inputs_(inputs), needed_(needed), last_use_(last_use), sums_(sums) {}

  const Tensor& operator[](size_t i) const { return items_[i].tensor; }
  size_t size() const { return items_.size(); }
  /// The same, and the tape lets go of it unless it will be played again: a large tensor that a rule is done with need
  /// not live while the rule makes its next one.
  Tensor take(size_t i) const { return last_use_ ? std::move(items_[i].tensor) : items_[i].tensor; }

  /// True if the line will not be played again: the rule may write to a unique() dy when it is done with it.
  bool last_use() const { return last_use_; }

  /// False for an input whose gradient nobody asked for: a constant, say. Its place in Gradients may stay undefined.
  bool needs(size_t input) const { return inputs_[input] >= 0 && needed_[static_cast<size_t>(inputs_[input])] != 0; }

  /// What has reached an input so far by other ways, in memory that nobody else sees: the rule adds its own gradient to
  /// it and must return the sum. Undefined if there is nothing yet, if nobody needs it, or if backward is recorded.
  Tensor take_sum(size_t input) const {
    if (!needs(input) || sums_.empty()) return {};
    Tensor sum = std::move(sums_[static_cast<size_t>(inputs_[input])]);
    return !sum || sum.unique() ? sum : sum.clone();
  }

 private:
  std::span<Item> items_;
  std::span<const int32_t> inputs_;
  const std::vector<char>& needed_;
  bool last_use_;
  std::span<Tensor> sums_;
};

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
    static_assert(std::is_trivially_copyable_v<F>, "a rule captures plain values only; name tensors in Keep{}");
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

/// From what was kept and the gradient dy of the output to the gradients of the inputs. Written with ops, so that it
/// can be recorded itself, or with a kernel, and then the op names its composed definition.
using Rule = InlineFunction<Gradients(const Kept&, const Tensor&)>;

/// The output once more, from what was kept: for ops that cost little to do twice. On a tape that trains, lines that
/// keep the output then hold no memory for it; it is computed again in backward, once for all of them.
using Again = Tensor (*)(const Kept&);

/// The op in terms of simpler ops, from its inputs: its documentation, the oracle of its tests, and its rule when
/// backward is recorded.
using Composed = InlineFunction<Tensor(std::span<const Tensor>)>;

}  // namespace mixtape
