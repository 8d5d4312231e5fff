#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixtape::by_hand {

/// A row-major matrix of doubles.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(int64_t height, int64_t width) : rows(height), columns(width), values(static_cast<size_t>(height * width)) {}
  Matrix(int64_t height, int64_t width, std::vector<double> numbers)
      : rows(height), columns(width), values(std::move(numbers)) {}

  double& operator()(int64_t i, int64_t j) { return values[static_cast<size_t>(i * columns + j)]; }
  double operator()(int64_t i, int64_t j) const { return values[static_cast<size_t>(i * columns + j)]; }
};

/// The inputs: T tokens of width D, and three linear layers, y = x W' + b, as in the library.
struct Inputs {
  Matrix x;                                       ///< [T, D]
  Matrix query_weight, key_weight, value_weight;  ///< [D, D]
  Matrix query_bias, key_bias, value_bias;        ///< [1, D]
  Matrix target;                                  ///< [T, D], the desired output
};

/// Three tokens of width 2, with numbers small enough for paper.
Inputs small_inputs();

/// The results of the forward pass, in order.
struct Forward {
  Matrix query, key, value;  ///< [T, D]
  Matrix scores;             ///< [T, T] S = Q K' / sqrt(D)
  Matrix weights;            ///< [T, T] A = softmax(S), row by row
  Matrix output;             ///< [T, D] O = A V
  double loss = 0;           ///< L = sum((O - target)^2) / 2
};
Forward forward(const Inputs& in);

/// The results of the backward pass, in order. dZ is dL/dZ, of the shape of Z.
struct Backward {
  Matrix output;                                  ///< dO = O - target
  Matrix value;                                   ///< dV = A' dO
  Matrix weights;                                 ///< dA = dO V'
  Matrix scores;                                  ///< dS = A * (dA - rowsum(dA * A))
  Matrix query, key;                              ///< dQ = dS K / sqrt(D), dK = dS' Q / sqrt(D)
  Matrix query_weight, key_weight, value_weight;  ///< dWq = dQ' X, and so on
  Matrix query_bias, key_bias, value_bias;        ///< column sums of dQ, dK, dV
  Matrix x;                                       ///< dX = dQ Wq + dK Wk + dV Wv: the sum of three branches
};
Backward backward(const Inputs& in, const Forward& f);

/// The inputs that have gradients, with names and gradients.
struct Derivative {
  std::string name;
  Matrix Inputs::*input;
  Matrix Backward::*gradient;
};
const std::vector<Derivative>& derivatives();

/// The numeric gradient: (L(z + step) - L(z - step)) / (2 step) for each number z of one input.
Matrix numeric_gradient(const Inputs& in, Matrix Inputs::*input, double step = 1e-5);

/// The same gradients from the library's tape, in the order of derivatives().
std::vector<Matrix> tape_gradients(const Inputs& in);

}  // namespace mixtape::by_hand
