#include "autograd/ops/packed.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/tensors/error.h"

namespace mixtape {

Bounds::Bounds(const std::vector<int64_t>& lengths) {
  offsets_ = Tensor::uninitialized({static_cast<int64_t>(lengths.size()) + 1}, i32);
  int32_t* offsets = offsets_.mutable_data<int32_t>();
  int64_t row = 0;
  *offsets++ = 0;
  for (int64_t length : lengths) {
    if (length < 0) fail(fmt::format("bounds: a sequence of length {}", length));
    row += length;
    if (row > INT32_MAX) fail(fmt::format("bounds: {} rows, at most {} fit one batch", row, INT32_MAX));
    *offsets++ = static_cast<int32_t>(row);
    longest_ = std::max(longest_, length);
  }
}

Bounds Bounds::uniform(int64_t sequences, int64_t length) {
  if (sequences * length > INT32_MAX)
    fail(fmt::format("bounds: {} rows, at most {} fit one batch", sequences * length, INT32_MAX));
  Bounds result;
  result.offsets_ = Tensor::uninitialized({sequences + 1}, i32);
  int32_t* offsets = result.offsets_.mutable_data<int32_t>();
  for (int64_t b = 0; b <= sequences; ++b) offsets[b] = static_cast<int32_t>(b * length);
  result.longest_ = sequences > 0 ? length : 0;
  return result;
}

Bounds Bounds::from_offsets(const Tensor& offsets) {
  Bounds result;
  result.offsets_ = offsets;
  for (int64_t b = 0; b < result.sequences(); ++b) result.longest_ = std::max(result.longest_, result.length(b));
  return result;
}

Tensor Bounds::positions() const {
  Tensor result = Tensor::uninitialized({rows()}, i32);
  int32_t* position = result.mutable_data<int32_t>();
  for (int64_t b = 0; b < sequences(); ++b)
    for (int64_t t = 0; t < length(b); ++t) *position++ = static_cast<int32_t>(t);
  return result;
}

Tensor Bounds::rows_of_padded() const {
  Tensor result = Tensor::zeros({sequences(), longest_}, i32);
  int32_t* rows = result.mutable_data<int32_t>();
  for (int64_t b = 0; b < sequences(); ++b)
    for (int64_t t = 0; t < length(b); ++t) rows[b * longest_ + t] = static_cast<int32_t>(offset(b) + t);
  return result;
}

Tensor Bounds::padded_places() const {
  Tensor result = Tensor::zeros({sequences(), longest_}, i32);
  int32_t* places = result.mutable_data<int32_t>();
  for (int64_t b = 0; b < sequences(); ++b) std::fill_n(places + b * longest_, length(b), 1);
  return result;
}

Tensor Bounds::places_of_rows() const {
  Tensor result = Tensor::uninitialized({rows()}, i32);
  int32_t* place = result.mutable_data<int32_t>();
  for (int64_t b = 0; b < sequences(); ++b)
    for (int64_t t = 0; t < length(b); ++t) *place++ = static_cast<int32_t>(b * longest_ + t);
  return result;
}

Packed pack(const std::vector<std::vector<int32_t>>& sequences) {
  std::vector<int64_t> lengths;
  std::vector<int32_t> values;
  for (const auto& sequence : sequences) {
    lengths.push_back(static_cast<int64_t>(sequence.size()));
    values.insert(values.end(), sequence.begin(), sequence.end());
  }
  return {Tensor::from(values, {static_cast<int64_t>(values.size())}), Bounds(lengths)};
}

}  // namespace mixtape
