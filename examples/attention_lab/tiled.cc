#include "examples/attention_lab/tiled.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mixtape::attention_lab {
namespace {

// The rows of one head in [T, H D].
class HeadRows {
 public:
  HeadRows(const Tensor& x, int64_t head, int64_t heads)
      : data_(x.data<double>() + head * (x.size(1) / heads)), stride_(x.size(1)), width_(x.size(1) / heads) {}
  const double* operator[](int64_t row) const { return data_ + row * stride_; }
  int64_t width() const { return width_; }

 private:
  const double* data_;
  int64_t stride_, width_;
};

double dot(const double* a, const double* b, int64_t n) {
  double result = 0;
  for (int64_t i = 0; i < n; ++i) result += a[i] * b[i];
  return result;
}

// One head, forward and backward, and its difference from the untiled results.
class TiledHead {
 public:
  TiledHead(const AttentionLayer& layer, int64_t head, int64_t block, const Matrices& plain, const Matrices& gradients)
      : layer_(layer),
        head_(head),
        block_(block),
        q_(plain.at("Q"), head, layer.heads),
        k_(plain.at("K"), head, layer.heads),
        v_(plain.at("V"), head, layer.heads),
        o_(plain.at("joined"), head, layer.heads),
        dout_(gradients.at("djoined"), head, layer.heads),
        gradients_(gradients) {}

  std::vector<std::vector<TiledBlock>> forward() {
    std::vector<std::vector<TiledBlock>> rows;
    for (int64_t i = 0; i < layer_.queries(); ++i) {
      rows.push_back(row(i));
      const TiledBlock& last = rows.back().back();
      log_sums_.push_back(last.max + std::log(last.sum));
      for (int64_t c = 0; c < v_.width(); ++c) compare(last.output[static_cast<size_t>(c)] / last.sum, o_[i][c]);
    }
    return rows;
  }

  // Needs log_sums_ of forward. dS = A * (dA - dO . O): the row sum of dA * A is dO . O.
  void backward() {
    Tensor dq = Tensor::zeros({layer_.queries(), q_.width()}, f64),
           dk = Tensor::zeros({layer_.keys(), q_.width()}, f64);
    Tensor dv = Tensor::zeros({layer_.keys(), v_.width()}, f64);
    for (int64_t i = 0; i < layer_.queries(); ++i) {
      const double average = dot(dout_[i], o_[i], v_.width());
      for (int64_t j = 0; j < layer_.keys(); ++j) {
        if (!sees(i, j)) continue;
        const double a = std::exp(score(i, j) - log_sums_[static_cast<size_t>(i)]);
        const double ds = a * (dot(dout_[i], v_[j], v_.width()) - average) * layer_.scale;
        for (int64_t c = 0; c < q_.width(); ++c) {
          dv.mutable_data<double>()[j * q_.width() + c] += a * dout_[i][c];
          dq.mutable_data<double>()[i * q_.width() + c] += ds * k_[j][c];
          dk.mutable_data<double>()[j * q_.width() + c] += ds * q_[i][c];
        }
      }
    }
    compare_all(dq, "dQ");
    compare_all(dk, "dK");
    compare_all(dv, "dV");
  }

  double difference() const { return difference_; }

 private:
  bool sees(int64_t i, int64_t j) const { return layer_.mask.data<int32_t>()[i * layer_.keys() + j] != 0; }
  double score(int64_t i, int64_t j) const { return dot(q_[i], k_[j], q_.width()) * layer_.scale; }

  std::vector<TiledBlock> row(int64_t i) const {
    std::vector<TiledBlock> blocks;
    double max = -std::numeric_limits<double>::infinity(), sum = 0;
    std::vector<double> output(static_cast<size_t>(v_.width()), 0.0);
    for (int64_t first = 0; first < layer_.keys(); first += block_) {
      const int64_t end = std::min(first + block_, layer_.keys());
      std::vector<double> scores;
      for (int64_t j = first; j < end; ++j)
        if (sees(i, j)) scores.push_back(score(i, j));
      const double before = max;
      for (double each : scores) max = std::max(max, each);
      const double shrink = max == before ? 1 : std::exp(before - max);
      sum *= shrink;
      for (double& value : output) value *= shrink;
      for (int64_t j = first; j < end; ++j) {
        if (!sees(i, j)) continue;
        const double weight = std::exp(score(i, j) - max);
        sum += weight;
        for (size_t c = 0; c < output.size(); ++c) output[c] += weight * v_[j][c];
      }
      blocks.push_back({first, scores, max, shrink, sum, output});
    }
    return blocks;
  }

  void compare(double a, double b) { difference_ = std::max(difference_, std::abs(a - b)); }

  void compare_all(const Tensor& own, const char* name) {
    const HeadRows plain(gradients_.at(name), head_, layer_.heads);
    for (int64_t i = 0; i < own.size(0); ++i)
      for (int64_t c = 0; c < own.size(1); ++c) compare(own.data<double>()[i * own.size(1) + c], plain[i][c]);
  }

  const AttentionLayer& layer_;
  int64_t head_, block_;
  HeadRows q_, k_, v_, o_, dout_;
  const Matrices& gradients_;
  std::vector<double> log_sums_;
  double difference_ = 0;
};

}  // namespace

Tiled tiled(const AttentionLayer& layer, int64_t head, int64_t block, const Matrices& plain_forward,
            const Matrices& plain_backward) {
  Tiled result{.block = block};
  for (int64_t h = 0; h < layer.heads; ++h) {
    TiledHead one(layer, h, block, plain_forward, plain_backward);
    auto rows = one.forward();
    if (h == head) result.rows = std::move(rows);
    one.backward();
    result.difference = std::max(result.difference, one.difference());
  }
  return result;
}

}  // namespace mixtape::attention_lab
