#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensors/tensor.h"

namespace mixtape {

/// A tensor and its dotted name, `encoder.layer.0.attention.query.weight`.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// What models, optimizers and averages save, load and list: in order, each name once.
using NamedTensors = std::vector<NamedTensor>;

/// The tensor of that name, or an undefined one.
Tensor find(const NamedTensors& tensors, std::string_view name);

/// All elements together.
int64_t count_elements(const NamedTensors& tensors);

/// The same names with copies of the numbers, not connected to any tape.
NamedTensors clone(const NamedTensors& tensors);

/// Copies the numbers of `from` into the tensors of `to` with the same names, converting the dtype of values if f32 and
/// f64 differ. Throws, changing nothing, unless the names and shapes are the same; the message lists what is missing,
/// what is unknown and what has another shape, by name.
void copy_into(const NamedTensors& from, const NamedTensors& to, const std::string& what);

/// True if `name` fits `pattern`, in which `*` stands for any characters: `*.bias`, `encoder.*`.
bool matches(std::string_view name, std::string_view pattern);

}  // namespace mixtape
