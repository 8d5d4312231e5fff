#include "autograd/tensors/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <numeric>

#include "autograd/kernels/convert.h"
#include "autograd/tensors/allocator.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/recompute.h"

namespace mixtape {

namespace detail {

constexpr int64_t kStorageHeader = 64;
static_assert(sizeof(Storage) <= kStorageHeader);

void* Storage::data() { return reinterpret_cast<char*>(this) + kStorageHeader; }

Ref<Storage> Storage::make(int64_t bytes) {
  Storage* storage = new (allocate(kStorageHeader + bytes)) Storage;
  storage->bytes = bytes;
  return Ref<Storage>(storage);
}

void Storage::destroy(Storage* storage) noexcept {
  storage->~Storage();
  deallocate(storage);
}

Ref<Body> Body::make() { return Ref<Body>(new (allocate(sizeof(Body))) Body); }

void Body::destroy(Body* body) noexcept {
  body->~Body();
  deallocate(body);
}

void Body::compute_elements() {
  static std::recursive_mutex mutex;  // two threads may read a tensor
  const std::lock_guard lock(mutex);
  if (storage) return;
  const Tensor computed = Tensor::uninitialized(shape, dtype);
  (*recompute)(computed);
  storage = computed.body().storage;
  first_version = storage->version;
  recompute = {};
}

}  // namespace detail

namespace {

// The element at i of data of any dtype, as a double.
double read(const void* data, DType dtype, int64_t i) {
  switch (dtype) {
    case f32:
      return static_cast<double>(static_cast<const float*>(data)[i]);
    case f64:
      return static_cast<const double*>(data)[i];
    case i32:
      return static_cast<const int32_t*>(data)[i];
    default:
      return static_cast<double>(std::bit_cast<float>(uint32_t{static_cast<const BFloat16*>(data)[i].bits} << 16));
  }
}

// Rounds to the nearest bfloat16, ties to even.
BFloat16 to_bfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (value != value) return {static_cast<uint16_t>((bits >> 16) | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
}

void write(void* data, DType dtype, int64_t i, double value) {
  switch (dtype) {
    case f32:
      static_cast<float*>(data)[i] = static_cast<float>(value);
      break;
    case f64:
      static_cast<double*>(data)[i] = value;
      break;
    case i32:
      static_cast<int32_t*>(data)[i] = static_cast<int32_t>(value);
      break;
    default:
      static_cast<BFloat16*>(data)[i] = to_bfloat16(static_cast<float>(value));
  }
}

void check_count(int64_t values, const Shape& shape) {
  if (values != shape.elements()) {
    fail(fmt::format("tensor: {} values given, {} has {}", values, to_string(shape), shape.elements()));
  }
}

}  // namespace

Tensor Tensor::uninitialized(const Shape& shape, DType dtype) {
  Tensor result(detail::Body::make());
  detail::Body& body = *result.body_;
  body.dtype = dtype;
  body.shape = shape;
  body.elements = shape.elements();
  body.storage = detail::Storage::make(body.elements * size_of(dtype));
  return result;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype) {
  Tensor result = uninitialized(shape, dtype);
  std::memset(result.mutable_raw_data(), 0, static_cast<size_t>(result.bytes()));
  return result;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor result = uninitialized(shape, dtype);
  result.fill(value);
  return result;
}

Tensor Tensor::from(const std::vector<double>& values, const Shape& shape, DType dtype) {
  check_count(static_cast<int64_t>(values.size()), shape);
  Tensor result = uninitialized(shape, dtype);
  void* data = result.mutable_raw_data();
  for (int64_t i = 0; i < result.elements(); ++i) write(data, dtype, i, values[static_cast<size_t>(i)]);
  return result;
}

Tensor Tensor::from(const std::vector<int32_t>& values, const Shape& shape) {
  check_count(static_cast<int64_t>(values.size()), shape);
  Tensor result = uninitialized(shape, i32);
  std::copy(values.begin(), values.end(), result.mutable_data<int32_t>());
  return result;
}

Tensor Tensor::deferred(const Shape& shape, DType dtype, Ref<Recompute> recompute) {
  Tensor result(detail::Body::make());
  detail::Body& body = *result.body_;
  body.dtype = dtype;
  body.shape = shape;
  body.elements = shape.elements();
  body.recompute = std::move(recompute);
  return result;
}

Tensor Tensor::range(int64_t n) {
  Tensor result = uninitialized({n}, i32);
  int32_t* data = result.mutable_data<int32_t>();
  std::iota(data, data + n, 0);
  return result;
}

void* Tensor::checked_data(DType wanted) const {
  if (body_->dtype != wanted) {
    fail(fmt::format("tensor: a tensor of {} was read as {}", name_of(body_->dtype), name_of(wanted)));
  }
  if (!body_->storage) body_->compute_elements();
  return static_cast<char*>(body_->storage->data()) + body_->offset;
}

void Tensor::set_recompute(Ref<Recompute> recompute) const {
  body_->recompute = std::move(recompute);
  body_->first_version = body_->storage->version;
}

const void* Tensor::raw_data() const { return checked_data(body_->dtype); }

void* Tensor::mutable_raw_data() const {
  void* data = checked_data(body_->dtype);
  ++body_->storage->version;
  return data;
}

double Tensor::item() const {
  if (elements() != 1) fail(fmt::format("item: {} has {} elements, expected 1", to_string(shape()), elements()));
  return read(raw_data(), dtype(), 0);
}

std::vector<double> Tensor::values() const {
  std::vector<double> result(static_cast<size_t>(elements()));
  for (int64_t i = 0; i < elements(); ++i) result[static_cast<size_t>(i)] = read(raw_data(), dtype(), i);
  return result;
}

Tensor Tensor::clone() const {
  Tensor result = like(*this);
  std::memcpy(result.mutable_raw_data(), raw_data(), static_cast<size_t>(bytes()));
  return result;
}

Tensor Tensor::to(DType dtype) const {
  Tensor result = uninitialized(shape(), dtype);
  result.copy_from(*this);
  return result;
}

Tensor Tensor::detach() const { return view(shape()); }

Tensor Tensor::view(const Shape& shape) const {
  if (shape.elements() != elements()) {
    fail(fmt::format("view: {} has {} elements, {} has {}", to_string(this->shape()), elements(), to_string(shape),
                     shape.elements()));
  }
  if (!body_->storage) body_->compute_elements();
  Tensor result(detail::Body::make());
  detail::Body& body = *result.body_;
  body.dtype = dtype();
  body.shape = shape;
  body.elements = elements();
  body.offset = body_->offset;
  body.storage = body_->storage;
  return result;
}

Tensor Tensor::view_rows(int64_t first, int64_t last) const {
  if (first < 0 || last < first || last > size(0)) {
    fail(fmt::format("view_rows: rows {} to {} of {}", first, last, to_string(shape())));
  }
  const int64_t row = size(0) == 0 ? 0 : bytes() / size(0);
  Tensor result = detach();
  detail::Body& body = *result.body_;
  body.shape = shape().with(0, last - first);
  body.elements = body.shape.elements();
  body.offset += first * row;
  return result;
}

void Tensor::copy_from(const Tensor& other) const {
  if (!(shape() == other.shape())) {
    fail(fmt::format("copy_from: shapes differ: {} from {}", to_string(shape()), to_string(other.shape())));
  }
  void* to = mutable_raw_data();
  const void* from = other.raw_data();
  if (dtype() == other.dtype()) {
    std::memmove(to, from, static_cast<size_t>(bytes()));
  } else if (dtype() == bf16 && other.dtype() == f32) {
    kernels::round_to_bf16(static_cast<const float*>(from), static_cast<uint16_t*>(to), elements());
  } else if (dtype() == f32 && other.dtype() == bf16) {
    kernels::widen_bf16(static_cast<const uint16_t*>(from), static_cast<float*>(to), elements());
  } else {
    for (int64_t i = 0; i < elements(); ++i) write(to, dtype(), i, read(from, other.dtype(), i));
  }
}

void Tensor::assign(const Tensor& other) const {
  detail::Body& body = *body_;
  other.raw_data();
  const uint32_t next = version() + 1;
  if (body.storage) ++body.storage->version;
  body.recompute = {};
  body.dtype = other.dtype();
  body.shape = other.shape();
  body.elements = other.elements();
  body.offset = other.body_->offset;
  body.storage = other.body_->storage;
  body.first_version = body.storage->version - next;
  body.gradient = {};
}

void Tensor::fill(double value) const {
  void* data = mutable_raw_data();
  for (int64_t i = 0; i < elements(); ++i) write(data, dtype(), i, value);
}

Tensor Tensor::as_parameter() const {
  if (!is_differentiable(dtype()))
    fail(fmt::format("parameter: {} cannot be trained, expected f32 or f64", name_of(dtype())));
  body_->role = detail::Role::parameter;
  body_->trainable = true;
  return *this;
}

void Tensor::set_gradient(const Tensor& gradient) const {
  if (gradient && (!(gradient.shape() == shape()) || gradient.dtype() != dtype())) {
    fail(fmt::format("set_gradient: {} {} for a tensor of {} {}", name_of(gradient.dtype()),
                     to_string(gradient.shape()), name_of(dtype()), to_string(shape())));
  }
  body_->gradient = gradient.body_;
}

Tensor Tensor::as_buffer() const {
  body_->role = detail::Role::buffer;
  body_->trainable = false;
  return *this;
}

namespace {

constexpr int64_t kShownPerAxis = 6;

void append(std::string& text, const std::vector<double>& values, const Shape& shape, int axis, int64_t& next,
            int digits) {
  if (axis == shape.rank()) {
    text += fmt::format("{:.{}g}", values[static_cast<size_t>(next++)], digits);
    return;
  }
  const int64_t n = shape[axis];
  const int64_t stride = shape.slice(axis + 1, shape.rank()).elements();
  text += '[';
  for (int64_t i = 0; i < n; ++i) {
    if (n > kShownPerAxis && i == kShownPerAxis / 2) {
      text += "..., ";
      next += (n - kShownPerAxis) * stride;
      i += n - kShownPerAxis;
    }
    append(text, values, shape, axis + 1, next, digits);
    if (i + 1 < n) text += ", ";
  }
  text += ']';
}

}  // namespace

std::string to_string(const Tensor& tensor, int digits) {
  std::string text;
  int64_t next = 0;
  append(text, tensor.values(), tensor.shape(), 0, next, digits);
  return text;
}

}  // namespace mixtape
