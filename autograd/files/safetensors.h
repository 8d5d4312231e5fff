#pragma once

#include <map>
#include <string>
#include <string_view>

#include "autograd/files/named_tensors.h"

namespace mixtape {

/// The safetensors format (github.com/huggingface/safetensors): an 8-byte little-endian length, a JSON header with
/// name, dtype, shape and byte range of each tensor, then the bytes. Reads and writes F32, F64, I32 and BF16.

/// Text kept beside the tensors, under `__metadata__`.
using Metadata = std::map<std::string, std::string>;

struct Safetensors {
  NamedTensors tensors;  ///< in the order of their bytes
  Metadata metadata;
};

/// The file's bytes. The same tensors give the same bytes.
std::string to_safetensors(const NamedTensors& tensors, const Metadata& metadata = {});

/// From a file's bytes. Throws one line that starts with `what` (the file's name, say) if the bytes are no whole,
/// consistent file: sizes that overflow, ranges that overlap, leave gaps or pass the end, duplicate names, a header
/// that is no JSON. Reads nothing it has not checked.
Safetensors from_safetensors(std::string_view bytes, const std::string& what);

}  // namespace mixtape
