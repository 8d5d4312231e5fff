#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace mixtape {

/// The sizes of a tensor's axes, outermost first; rank 0 is a scalar. At most kMaxRank axes, held in place (no
/// allocation).
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  /// Throws if an axis is negative, or there are more than kMaxRank.
  Shape(std::initializer_list<int64_t> sizes);
  Shape(const int64_t* sizes, int rank);

  int rank() const { return rank_; }

  /// Size of an axis; a negative axis counts from the end. Throws when out of range.
  int64_t operator[](int axis) const { return sizes_[index(axis)]; }

  /// Number of elements: the product of all axes, 1 for a scalar. Throws if it is beyond any memory (2^48).
  int64_t elements() const;

  /// axis as 0..rank-1, from a possibly negative one. Throws `axis 3 is out of range for [2, 5]`.
  int index(int axis) const;

  /// This shape with one axis set to another size, with an axis removed, or with one put in before `axis`.
  Shape with(int axis, int64_t size) const;
  Shape without(int axis) const;
  Shape inserted(int axis, int64_t size) const;

  /// Axes [first, last) as a shape; the leading axes of a [..., n] are `shape.slice(0, shape.rank() - 1)`.
  Shape slice(int first, int last) const;

  /// The axes of this shape followed by those of `inner`.
  Shape followed_by(const Shape& inner) const;

  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + rank_; }

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  int64_t sizes_[kMaxRank] = {};
  int rank_ = 0;
};

/// `[2, 3]`; a scalar is `[]`.
std::string to_string(const Shape& shape);

/// The shape to which both broadcast, aligned at the last axis, an axis of 1 stretching to the other's size (NumPy's
/// rule). Throws, with `op` in front, when two sizes differ and neither is 1.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

}  // namespace mixtape
