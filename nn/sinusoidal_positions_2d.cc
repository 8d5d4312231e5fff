#include "nn/sinusoidal_positions_2d.h"

#include <fmt/format.h>

#include <algorithm>

#include "autograd/tensors/error.h"
#include "nn/positions.h"

namespace mixtape::nn {

SinusoidalPositions2d::SinusoidalPositions2d(int64_t rows, int64_t columns, int64_t width) {
  if (width % 4 != 0) fail(fmt::format("positions: width {}, expected a multiple of 4", width));
  std::vector<int32_t> row, column;
  for (int64_t i = 0; i < rows * columns; ++i) {
    row.push_back(static_cast<int32_t>(i / columns));
    column.push_back(static_cast<int32_t>(i % columns));
  }
  const Pause pause;
  const SinusoidalPositions waves(std::max(rows, columns), width / 2);
  const Tensor none = Tensor::zeros({rows * columns, width / 2}, f64);
  table_f64_ = concat(
      {waves(none, Tensor::from(row, {rows * columns})), waves(none, Tensor::from(column, {rows * columns}))}, 1);
  table_f32_ = table_f64_.to(f32);
}

Tensor SinusoidalPositions2d::forward(const Tensor& x) const {
  if (x.rank() < 2 || !(x.shape().slice(x.rank() - 2, x.rank()) == table_f64_.shape())) {
    fail(fmt::format("positions: x {} on a grid, expected [..., {}, {}]", to_string(x.shape()), table_f64_.size(0),
                     table_f64_.size(1)));
  }
  return x + (x.dtype() == f64 ? table_f64_ : table_f32_);
}

}  // namespace mixtape::nn
