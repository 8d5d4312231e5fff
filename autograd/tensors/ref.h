#pragma once

#include <atomic>
#include <utility>

namespace mixtape {

/// A counted reference to a T that holds its own count in `std::atomic<int> references` and frees itself in a static
/// `T::destroy(T*)`. One word, no control block.
template <class T>
class Ref {
 public:
  Ref() = default;
  /// Takes over a count that `pointer` already has.
  explicit Ref(T* pointer) : pointer_(pointer) {}
  Ref(const Ref& other) : pointer_(other.pointer_) {
    if (pointer_) pointer_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~Ref() {
    if (pointer_ && pointer_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(pointer_);
  }

  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  T* get() const { return pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }

  /// True if this is the only reference.
  bool unique() const { return pointer_ && pointer_->references.load(std::memory_order_acquire) == 1; }

 private:
  T* pointer_ = nullptr;
};

}  // namespace mixtape
