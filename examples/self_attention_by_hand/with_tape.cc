#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/random.h"
#include "examples/self_attention_by_hand/by_hand.h"
#include "nn/save.h"
#include "nn/self_attention.h"

namespace mixtape::by_hand {
namespace {

Tensor tensor_of(const Matrix& m, const Shape& shape) { return Tensor::from(m.values, shape, f64); }

Matrix matrix_of(const Tensor& x) {
  const int64_t columns = x.size(-1);
  return {x.elements() / columns, columns, x.values()};
}

void fill(const nn::Linear& layer, const Matrix& weight, const Matrix& bias) {
  layer.weight.copy_from(tensor_of(weight, layer.weight.shape()));
  layer.bias.copy_from(tensor_of(bias, layer.bias.shape()));
}

}  // namespace

std::vector<Matrix> tape_gradients(const Inputs& in) {
  Random random(1);
  const int64_t length = in.x.rows, width = in.x.columns;
  const nn::SelfAttention attention(width, random);
  nn::to(attention, f64);
  fill(attention.query, in.query_weight, in.query_bias);
  fill(attention.key, in.key_weight, in.key_bias);
  fill(attention.value, in.value_weight, in.value_bias);

  Tape tape;
  const Tensor x = tape.watch(tensor_of(in.x, {1, length, width}));
  const Tensor difference = attention(x) - tensor_of(in.target, {1, length, width});
  tape.backward(sum(difference * difference) / 2);

  std::vector<Matrix> gradients = {matrix_of(tape.gradient(x))};
  for (const nn::Linear* layer : {&attention.query, &attention.key, &attention.value}) {
    gradients.push_back(matrix_of(layer->weight.gradient()));
    gradients.push_back(matrix_of(layer->bias.gradient()));
  }
  return gradients;
}

}  // namespace mixtape::by_hand
