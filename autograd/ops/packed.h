#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// Where the sequences of a packed batch begin and end: sequence b is rows [offset(b), offset(b + 1)) of a [rows, ...]
/// tensor.
class Bounds {
 public:
  Bounds() = default;
  /// From the lengths of the sequences. Throws if one is negative.
  explicit Bounds(const std::vector<int64_t>& lengths);
  /// `sequences` sequences of `length` rows each: how a [B, T, ...] tensor lies in memory.
  static Bounds uniform(int64_t sequences, int64_t length);
  /// From offsets(), as another Bounds gave it.
  static Bounds from_offsets(const Tensor& offsets);

  bool defined() const { return offsets_.defined(); }
  int64_t sequences() const { return offsets_.elements() - 1; }
  int64_t offset(int64_t b) const { return offsets_.data<int32_t>()[b]; }
  int64_t length(int64_t b) const { return offset(b + 1) - offset(b); }
  int64_t rows() const { return offset(sequences()); }
  int64_t longest() const { return longest_; }
  /// offset(0) .. offset(B) as i32, [B + 1].
  const Tensor& offsets() const { return offsets_; }

  /// The number of each row within its sequence, i32 [rows].
  Tensor positions() const;
  /// For each place (b, t) of a padded [B, longest] batch its row, or 0 for padding, i32 [B, longest].
  Tensor rows_of_padded() const;
  /// 1 for each place (b, t) of a padded batch that is a row, 0 for padding, i32 [B, longest].
  Tensor padded_places() const;
  /// For each row its place b * longest + t in a padded batch, i32 [rows].
  Tensor places_of_rows() const;

 private:
  Tensor offsets_;
  int64_t longest_ = 0;
};

/// A batch of sequences without padding: their rows one after the other, and their bounds.
struct Packed {
  Tensor values;  ///< [rows, ...]
  Bounds bounds;
};

/// Packs sequences of token ids: values are i32 [rows].
Packed pack(const std::vector<std::vector<int32_t>>& sequences);

}  // namespace mixtape
