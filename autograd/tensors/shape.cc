#include "autograd/tensors/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 48;  // so that no count of bytes overflows

}  // namespace

Shape::Shape(std::initializer_list<int64_t> sizes) : Shape(sizes.begin(), static_cast<int>(sizes.size())) {}

Shape::Shape(const int64_t* sizes, int rank) : rank_(rank) {
  if (rank > kMaxRank) fail(fmt::format("shape: {} axes, at most {} are supported", rank, kMaxRank));
  std::copy_n(sizes, rank, sizes_);
  for (int64_t size : *this)
    if (size < 0) fail(fmt::format("shape: negative size in {}", to_string(*this)));
}

int64_t Shape::elements() const {
  int64_t n = 1;
  for (int64_t size : *this) {
    if (__builtin_mul_overflow(n, size, &n) || n > kMostElements)
      fail(fmt::format("shape: {} has too many elements", to_string(*this)));
  }
  return n;
}

int Shape::index(int axis) const {
  const int i = axis < 0 ? axis + rank_ : axis;
  if (i < 0 || i >= rank_) fail(fmt::format("axis {} is out of range for {}", axis, to_string(*this)));
  return i;
}

Shape Shape::with(int axis, int64_t size) const {
  Shape result = *this;
  result.sizes_[index(axis)] = size;
  return result;
}

Shape Shape::without(int axis) const {
  const int i = index(axis);
  return slice(0, i).followed_by(slice(i + 1, rank_));
}

Shape Shape::inserted(int axis, int64_t size) const {
  const int i = axis < 0 ? axis + rank_ + 1 : axis;
  if (i < 0 || i > rank_) fail(fmt::format("axis {} is out of range for {}", axis, to_string(*this)));
  return slice(0, i).followed_by({size}).followed_by(slice(i, rank_));
}

Shape Shape::slice(int first, int last) const { return Shape(sizes_ + first, last - first); }

Shape Shape::followed_by(const Shape& inner) const {
  int64_t sizes[2 * kMaxRank];
  std::copy_n(sizes_, rank_, sizes);
  std::copy_n(inner.sizes_, inner.rank_, sizes + rank_);
  return Shape(sizes, rank_ + inner.rank_);
}

bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", ")); }

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  Shape result = longer;
  for (int axis = 1; axis <= longer.rank(); ++axis) {
    const int64_t m = axis <= a.rank() ? a[-axis] : 1;
    const int64_t n = axis <= b.rank() ? b[-axis] : 1;
    if (m != n && m != 1 && n != 1) fail(fmt::format("{}: {} and {} do not broadcast", op, to_string(a), to_string(b)));
    result = result.with(-axis, m == 1 ? n : m);
  }
  return result;
}

}  // namespace mixtape
