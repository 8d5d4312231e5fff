#include "nn/positions.h"

#include <fmt/format.h>

#include <cmath>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

// Broadcasting alone would take positions of a wrong shape, and add each vector to every row.
Tensor add_rows_of(const Tensor& table, const Tensor& x, const Tensor& positions) {
  const Shape &rows = x.shape(), &places = positions.shape();
  const int last = rows.rank() - 1;
  if (places.rank() > last || places != rows.slice(last - places.rank(), last) || x.size(-1) != table.size(-1)) {
    fail(fmt::format("positions: x {} with positions {}, expected [..., T, {}] and [T]", to_string(rows),
                     to_string(places), table.size(-1)));
  }
  return x + embedding(positions, table);
}

}  // namespace

SinusoidalPositions::SinusoidalPositions(int64_t longest, int64_t width)
    : table_f64_(Tensor::uninitialized({longest, width}, f64)) {
  double* element = table_f64_.mutable_data<double>();
  for (int64_t t = 0; t < longest; ++t) {
    for (int64_t c = 0; c < width; ++c) {
      const double angle =
          static_cast<double>(t) * std::pow(10000.0, -static_cast<double>(c - c % 2) / static_cast<double>(width));
      *element++ = c % 2 == 0 ? std::sin(angle) : std::cos(angle);
    }
  }
  table_f32_ = table_f64_.to(f32);
}

Tensor SinusoidalPositions::forward(const Tensor& x, const Tensor& positions) const {
  return add_rows_of(x.dtype() == f64 ? table_f64_ : table_f32_, x, positions);
}

Tensor LearnedPositions::forward(const Tensor& x, const Tensor& positions) const {
  return add_rows_of(weight, x, positions);
}

}  // namespace mixtape::nn
