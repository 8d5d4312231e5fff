#include "nn/decoding.h"

#include <fmt/format.h>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"

namespace mixtape::nn {

const KeysValues& KeyValueCache::append(const KeysValues& position) {
  all_.keys = all_.keys ? concat({all_.keys, position.keys}, 1) : position.keys;
  all_.values = all_.values ? concat({all_.values, position.values}, 1) : position.values;
  return all_;
}

void KeyValueCache::reorder(const Tensor& parents) {
  for (Tensor* x : {&all_.keys, &all_.values}) {
    if (!*x) continue;
    const Shape shape = x->shape();
    *x = embedding(parents, x->view({shape[0], shape.slice(1, 4).elements()})).view(shape);
  }
}

void Decoding::reorder(const Tensor& parents) {
  if (!(parents.shape() == Shape{rows}))
    fail(fmt::format("reorder: parents {}, expected [{}]", to_string(parents.shape()), rows));
  for (LayerCache& layer : layers) layer.self.reorder(parents);
}

AutoregressiveModel::Next AutoregressiveModel::advance(Decoding& decoding, const Tensor& tokens) {
  const int64_t rows = decoding.rows;
  if (!(tokens.shape() == Shape{rows}))
    fail(fmt::format("step: tokens {}, expected [{}]", to_string(tokens.shape()), rows));
  if (decoding.position >= decoding.longest)
    fail(fmt::format("step: the model has no position left after {}", decoding.longest));
  const Tensor positions = Tensor::full({rows, 1}, static_cast<double>(decoding.position++), i32);
  return {tokens.view({rows, 1}), positions};
}

}  // namespace mixtape::nn
