#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "autograd/ops/packed.h"
#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"

/// The largest |a - b| of two tensors of one shape; infinite if the shapes differ or a number is NaN.
inline double largest_difference(const mixtape::Tensor& a, const mixtape::Tensor& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  const std::vector<double> left = a.values(), right = b.values();
  double largest = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    const double difference = std::abs(left[i] - right[i]);
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

inline double largest_magnitude(const mixtape::Tensor& x) {
  return largest_difference(x, mixtape::Tensor::zeros(x.shape(), x.dtype()));
}

/// True if both have the same shape, dtype and bytes.
inline bool same_bits(const mixtape::Tensor& a, const mixtape::Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.raw_data(), b.raw_data(), static_cast<size_t>(a.bytes())) == 0;
}

/// Sequences of tokens in [first, vocab), of the given lengths.
inline std::vector<std::vector<int32_t>> random_sentences(const std::vector<size_t>& lengths, int32_t first,
                                                          int32_t vocab, mixtape::Random& random) {
  std::vector<std::vector<int32_t>> sentences;
  for (const size_t length : lengths) {
    std::vector<int32_t>& sentence = sentences.emplace_back(length);
    for (int32_t& token : sentence) token = first + static_cast<int32_t>(random.below(vocab - first));
  }
  return sentences;
}
