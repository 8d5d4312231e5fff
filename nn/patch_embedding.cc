#include "nn/patch_embedding.h"

#include <fmt/format.h>

#include <bit>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

// Inputs of the projection for each token.
int64_t inputs_of(const PatchEmbeddingOptions& options) {
  return options.stem == Stem::convolution ? options.width : options.patch * options.patch * options.channels;
}

}  // namespace

PatchEmbedding::PatchEmbedding(const PatchEmbeddingOptions& chosen, Random& random)
    : projection(inputs_of(chosen), chosen.width, random), options(chosen) {
  if (options.patch < 1) fail(fmt::format("patch embedding: a patch of {} pixels, expected at least 1", options.patch));
  if (options.stem == Stem::patch) return;
  const int64_t patch = options.patch;
  if (patch < 2 || !std::has_single_bit(static_cast<uint64_t>(patch)) || options.width % (patch / 2) != 0) {
    fail(fmt::format(
        "patch embedding: convolutions for a patch of {} and width {}, expected a power of two and a multiple of half "
        "of it",
        patch, options.width));
  }
  int64_t channels = options.channels;
  for (int64_t left = patch / 2; left >= 1; left /= 2) {
    convolution.emplace_back(channels, options.width / left, 3, Conv2dOptions{.stride = 2, .padding = 1}, random);
    channels = options.width / left;
    norm.emplace_back(channels);
  }
}

Tensor PatchEmbedding::forward(const Tensor& x) const {
  if (options.stem == Stem::patch) return projection(patches(x, options.patch));
  if (x.rank() != 4 || x.size(1) % options.patch != 0 || x.size(2) % options.patch != 0) {
    fail(fmt::format("patch embedding: {} in patches of {}, expected [B, H, W, C] with H and W multiples of it",
                     to_string(x.shape()), options.patch));
  }
  Tensor y = x;
  for (size_t i = 0; i < convolution.size(); ++i) y = gelu(norm[i](convolution[i](y)));
  return projection(patches(y, 1));
}

}  // namespace mixtape::nn
