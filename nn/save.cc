#include "nn/save.h"

#include "autograd/files/file.h"

namespace mixtape::nn {

void save_tensors(const NamedTensors& tensors, const std::string& path, const Metadata& metadata) {
  write_atomically(path, to_safetensors(tensors, metadata));
}

void save(const LayerBase& model, const std::string& path, const Metadata& metadata) {
  save_tensors(named_tensors(model), path, metadata);
}

Metadata load_tensors(const NamedTensors& tensors, const std::string& path) {
  Safetensors file = from_safetensors(read_file(path), path);
  copy_into(file.tensors, tensors, path);
  return file.metadata;
}

Metadata load(const LayerBase& model, const std::string& path) { return load_tensors(named_tensors(model), path); }

}  // namespace mixtape::nn
