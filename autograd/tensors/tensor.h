#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "autograd/tensors/dtype.h"
#include "autograd/tensors/ref.h"
#include "autograd/tensors/shape.h"

namespace mixtape {

class Recompute;
class Tape;

namespace detail {

// The memory of one or more tensors; the elements follow the header. `version` rises with each write through
// mutable_data().
struct Storage {
  std::atomic<int> references{1};
  uint32_t version = 0;
  int64_t bytes = 0;

  void* data();
  static Ref<Storage> make(int64_t bytes);
  static void destroy(Storage* storage) noexcept;
};

enum class Role : uint8_t { constant, parameter, buffer };

struct Body {
  std::atomic<int> references{1};
  DType dtype = f32;
  Role role = Role::constant;
  bool trainable = false;
  bool leaf = false;  // stands on a tape without having been computed there: a parameter or a watched input
  int32_t line = -1;  // its line on the tape `tape`
  uint64_t tape = 0;  // the number of that tape; 0: none
  Shape shape;
  int64_t elements = 1;
  int64_t offset = 0;          // of the first element, in bytes
  Ref<Storage> storage;        // none while the tensor is deferred
  Ref<Recompute> recompute;    // how the elements follow from other tensors
  uint32_t first_version = 0;  // that of the storage when this body's elements were there
  Ref<Body> gradient;
  const char* name = nullptr;  // of a parameter or buffer within its layer

  static Ref<Body> make();
  static void destroy(Body* body) noexcept;
  void compute_elements();
};

}  // namespace detail

/// An array of numbers in contiguous row-major order. A Tensor is a handle: copying it copies no numbers, and all
/// copies see what is written through one. It is never resized; ops make new tensors.
class Tensor {
 public:
  /// No tensor: what a missing bias is. Everything but `defined` and `bool` throws or is undefined on it.
  Tensor() = default;

  /// Fresh memory, contents unspecified.
  static Tensor uninitialized(const Shape& shape, DType dtype = f32);
  /// As uninitialized, with the shape and dtype of `other`.
  static Tensor like(const Tensor& other) { return uninitialized(other.shape(), other.dtype()); }
  static Tensor zeros(const Shape& shape, DType dtype = f32);
  static Tensor ones(const Shape& shape, DType dtype = f32) { return full(shape, 1, dtype); }
  static Tensor full(const Shape& shape, double value, DType dtype = f32);
  static Tensor scalar(double value, DType dtype = f32) { return full({}, value, dtype); }

  /// From values in row-major order, converted to `dtype`. Throws if their count does not fit the shape.
  static Tensor from(const std::vector<double>& values, const Shape& shape, DType dtype = f32);
  /// An index tensor. Throws if the count of values does not fit the shape.
  static Tensor from(const std::vector<int32_t>& values, const Shape& shape);
  /// 0, 1, .. n-1 as i32.
  static Tensor range(int64_t n);
  /// Elements that are computed when they are first read, by the one thread that reads them.
  static Tensor deferred(const Shape& shape, DType dtype, Ref<Recompute> recompute);

  bool defined() const { return static_cast<bool>(body_); }
  explicit operator bool() const { return defined(); }
  /// True if both are handles to one tensor.
  bool is(const Tensor& other) const { return body_.get() == other.body_.get(); }

  const Shape& shape() const { return body_->shape; }
  int rank() const { return body_->shape.rank(); }
  /// Size of an axis; negative axes count from the end.
  int64_t size(int axis) const { return body_->shape[axis]; }
  int64_t elements() const { return body_->elements; }
  int64_t bytes() const { return body_->elements * size_of(body_->dtype); }
  DType dtype() const { return body_->dtype; }

  /// The elements, for reading. Throws if T is not the tensor's dtype.
  template <class T>
  const T* data() const {
    return static_cast<const T*>(checked_data(dtype_of<T>));
  }
  /// The elements, for writing: raises the version, so that a tape that saved the old values notices.
  template <class T>
  T* mutable_data() const {
    T* data = static_cast<T*>(checked_data(dtype_of<T>));
    ++body_->storage->version;
    return data;
  }
  /// Bytes of the elements, whatever the dtype.
  const void* raw_data() const;
  void* mutable_raw_data() const;

  /// The only element as a number. Throws if there is more than one.
  double item() const;
  /// All elements as doubles, in row-major order.
  std::vector<double> values() const;

  /// A copy with memory of its own, not on any tape.
  Tensor clone() const;
  /// A copy converted to another dtype, not on any tape (see ops.h `cast` for one that is).
  Tensor to(DType dtype) const;
  /// The same numbers (memory shared) as a constant: no tape knows where they came from, so no gradient flows through.
  Tensor detach() const;
  /// The same numbers (memory shared) under another shape with as many elements, as a constant. ops.h has `reshape`.
  Tensor view(const Shape& shape) const;
  /// Rows [first, last) of the first axis, memory shared, as a constant. ops.h has `slice`.
  Tensor view_rows(int64_t first, int64_t last) const;

  /// Overwrites the elements in place from a tensor of the same shape, converting the dtype of the values. Raises the
  /// version.
  void copy_from(const Tensor& other) const;
  /// Makes every handle to this tensor see the memory, shape and dtype of `other`; the gradient is dropped.
  void assign(const Tensor& other) const;
  void fill(double value) const;

  /// Marks a tensor as trained (optimizers update it, tapes record what is computed from it), and returns it.
  Tensor as_parameter() const;
  /// Marks a tensor as part of a model's state that is saved but not trained (running statistics), and returns it.
  Tensor as_buffer() const;
  bool is_parameter() const { return body_->role == detail::Role::parameter; }
  bool is_buffer() const { return body_->role == detail::Role::buffer; }
  /// A parameter that is not trainable is a constant to every tape: frozen.
  bool trainable() const { return body_->trainable; }
  void set_trainable(bool trainable) const { body_->trainable = trainable && is_parameter(); }

  /// The gradient that backward passes have added up for this parameter; undefined if there is none.
  Tensor gradient() const { return Tensor(body_->gradient); }
  /// Throws if its shape or dtype is not this tensor's.
  void set_gradient(const Tensor& gradient) const;
  void clear_gradient() const { body_->gradient = {}; }

  /// States how the elements, which are there already, follow from other tensors: for a result that is given to record
  /// next, so that the tape need not hold it.
  void set_recompute(Ref<Recompute> recompute) const;
  /// How the elements of a deferred tensor will be computed; nullptr once they are there.
  const Recompute* deferral() const { return body_->storage ? nullptr : body_->recompute.get(); }
  /// How often the elements have been written to; computing deferred ones does not count.
  uint32_t version() const { return body_->storage ? body_->storage->version - body_->first_version : 0; }

  detail::Body& body() const { return *body_; }
  /// True if no other handle sees this memory, so that it may be reused in place.
  bool unique() const { return body_.unique() && body_->storage.unique(); }

 private:
  explicit Tensor(Ref<detail::Body> body) : body_(std::move(body)) {}
  void* checked_data(DType wanted) const;

  Ref<detail::Body> body_;
};

/// The input tensors of an op, or others that it names: a view of a list that lives as long as the call.
class Tensors {
 public:
  Tensors() = default;
  Tensors(std::initializer_list<Tensor> list) : span_(list.begin(), list.size()) {}
  Tensors(std::span<const Tensor> list) : span_(list) {}
  template <size_t N>
  Tensors(const std::array<Tensor, N>& list) : span_(list) {}
  Tensors(const std::vector<Tensor>& list) : span_(list) {}
  Tensors(const Tensor& only) : span_(&only, 1) {}  // NOLINT: a single input needs no braces

  auto begin() const { return span_.begin(); }
  auto end() const { return span_.end(); }
  size_t size() const { return span_.size(); }
  const Tensor& operator[](size_t i) const { return span_[i]; }

 private:
  std::span<const Tensor> span_;
};

/// Numbers as nested rows, `[[1, 2], [3, 4]]`; long axes are shortened with `...` in the middle.
std::string to_string(const Tensor& tensor, int digits = 4);

}  // namespace mixtape
