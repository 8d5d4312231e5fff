#include "examples/self_attention_by_hand/by_hand.h"

#include <algorithm>
#include <cmath>

namespace mixtape::by_hand {
namespace {

// y = x W' + b
Matrix linear(const Matrix& x, const Matrix& weight, const Matrix& bias) {
  Matrix y(x.rows, weight.rows);
  for (int64_t i = 0; i < y.rows; ++i) {
    for (int64_t j = 0; j < y.columns; ++j) {
      y(i, j) = bias(0, j);
      for (int64_t k = 0; k < x.columns; ++k) y(i, j) += x(i, k) * weight(j, k);
    }
  }
  return y;
}

// The gradients of y = x W' + b: dW = dY' X and db = column sums of dY; dX = dY W is accumulated.
void linear_backward(const Matrix& x, const Matrix& weight, const Matrix& dy, Matrix& dweight, Matrix& dbias,
                     Matrix& dx) {
  dweight = Matrix(weight.rows, weight.columns);
  dbias = Matrix(1, weight.rows);
  for (int64_t i = 0; i < dy.rows; ++i) {
    for (int64_t j = 0; j < dy.columns; ++j) {
      dbias(0, j) += dy(i, j);
      for (int64_t k = 0; k < x.columns; ++k) {
        dweight(j, k) += dy(i, j) * x(i, k);
        dx(i, k) += dy(i, j) * weight(j, k);
      }
    }
  }
}

}  // namespace

Inputs small_inputs() {
  return {.x = {3, 2, {1, 0, 0, 2, 1, 1}},
          .query_weight = {2, 2, {1, 0, 1, 1}},
          .key_weight = {2, 2, {0, 1, 1, -1}},
          .value_weight = {2, 2, {2, 0, 1, 1}},
          .query_bias = {1, 2, {0, 1}},
          .key_bias = {1, 2, {1, 0}},
          .value_bias = {1, 2, {0, -1}},
          .target = {3, 2, {1, 0, 0, 1, 1, 1}}};
}

Forward forward(const Inputs& in) {
  const int64_t length = in.x.rows, width = in.x.columns;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  Forward f;
  f.query = linear(in.x, in.query_weight, in.query_bias);
  f.key = linear(in.x, in.key_weight, in.key_bias);
  f.value = linear(in.x, in.value_weight, in.value_bias);

  // How well each query matches each key.
  f.scores = Matrix(length, length);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      for (int64_t k = 0; k < width; ++k) f.scores(i, j) += f.query(i, k) * f.key(j, k) * scale;
    }
  }

  // Each row becomes positive and sums to 1. The largest score is subtracted first, so that exp cannot overflow.
  f.weights = Matrix(length, length);
  for (int64_t i = 0; i < length; ++i) {
    double largest = f.scores(i, 0), sum = 0;
    for (int64_t j = 1; j < length; ++j) largest = std::max(largest, f.scores(i, j));
    for (int64_t j = 0; j < length; ++j) sum += f.weights(i, j) = std::exp(f.scores(i, j) - largest);
    for (int64_t j = 0; j < length; ++j) f.weights(i, j) /= sum;
  }

  // Each row is a weighted sum of all values.
  f.output = Matrix(length, width);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      for (int64_t k = 0; k < width; ++k) f.output(i, k) += f.weights(i, j) * f.value(j, k);
    }
  }

  for (int64_t i = 0; i < length; ++i) {
    for (int64_t k = 0; k < width; ++k) f.loss += std::pow(f.output(i, k) - in.target(i, k), 2) / 2;
  }
  return f;
}

Backward backward(const Inputs& in, const Forward& f) {
  const int64_t length = in.x.rows, width = in.x.columns;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  Backward b;

  b.output = Matrix(length, width);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t k = 0; k < width; ++k) b.output(i, k) = f.output(i, k) - in.target(i, k);
  }

  // O = A V: the gradient of row i reaches value j multiplied by the weight A[i, j].
  b.value = Matrix(length, width);
  b.weights = Matrix(length, length);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      for (int64_t k = 0; k < width; ++k) {
        b.value(j, k) += f.weights(i, j) * b.output(i, k);
        b.weights(i, j) += b.output(i, k) * f.value(j, k);
      }
    }
  }

  // A = softmax(S): a row sums to 1, so one weight can only grow if others shrink.
  b.scores = Matrix(length, length);
  for (int64_t i = 0; i < length; ++i) {
    double average = 0;
    for (int64_t j = 0; j < length; ++j) average += b.weights(i, j) * f.weights(i, j);
    for (int64_t j = 0; j < length; ++j) b.scores(i, j) = f.weights(i, j) * (b.weights(i, j) - average);
  }

  // S = Q K' / sqrt(D)
  b.query = Matrix(length, width);
  b.key = Matrix(length, width);
  for (int64_t i = 0; i < length; ++i) {
    for (int64_t j = 0; j < length; ++j) {
      for (int64_t k = 0; k < width; ++k) {
        b.query(i, k) += b.scores(i, j) * f.key(j, k) * scale;
        b.key(j, k) += b.scores(i, j) * f.query(i, k) * scale;
      }
    }
  }

  // Each token is used three times, so three gradients are added up.
  b.x = Matrix(length, width);
  linear_backward(in.x, in.query_weight, b.query, b.query_weight, b.query_bias, b.x);
  linear_backward(in.x, in.key_weight, b.key, b.key_weight, b.key_bias, b.x);
  linear_backward(in.x, in.value_weight, b.value, b.value_weight, b.value_bias, b.x);
  return b;
}

const std::vector<Derivative>& derivatives() {
  static const std::vector<Derivative> all = {
      {"dX", &Inputs::x, &Backward::x},
      {"dWq", &Inputs::query_weight, &Backward::query_weight},
      {"dbq", &Inputs::query_bias, &Backward::query_bias},
      {"dWk", &Inputs::key_weight, &Backward::key_weight},
      {"dbk", &Inputs::key_bias, &Backward::key_bias},
      {"dWv", &Inputs::value_weight, &Backward::value_weight},
      {"dbv", &Inputs::value_bias, &Backward::value_bias},
  };
  return all;
}

Matrix numeric_gradient(const Inputs& in, Matrix Inputs::*input, double step) {
  Inputs moved = in;
  Matrix& z = moved.*input;
  Matrix gradient(z.rows, z.columns);
  for (size_t i = 0; i < z.values.size(); ++i) {
    const double before = z.values[i];
    z.values[i] = before + step;
    const double above = forward(moved).loss;
    z.values[i] = before - step;
    const double below = forward(moved).loss;
    z.values[i] = before;
    gradient.values[i] = (above - below) / (2 * step);
  }
  return gradient;
}

}  // namespace mixtape::by_hand
