#pragma once

#include <vector>

#include "nn/conv2d.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

namespace mixtape::nn {

/// How an image becomes patches.
enum class Stem {
  patch,       ///< square patches of pixels
  convolution  ///< 3 x 3 convolutions of stride 2, down to one pixel per patch (Xiao et al. 2021)
};

struct PatchEmbeddingOptions {
  int64_t patch = 4;     ///< height and width of a patch in pixels; a power of two from 2 on for the convolutional stem
  int64_t channels = 3;  ///< C, of the images
  int64_t width = 192;   ///< of the tokens; for the convolutional stem a multiple of patch / 2
  Stem stem = Stem::patch;
};

/// A token for each patch of an image, in row-major order: `projection` of its pixels (Dosovitskiy et al. 2021), or of
/// the output of a convolutional stem. The stem halves the image once for each factor of two in the patch, each time
/// with a 3 x 3 convolution, a layer norm over the channels and a GELU; its last stage has `width` channels, and each
/// earlier stage half as many as the next.   x: [B, H, W, C], H and W multiples of the patch  result: [B, H W /
/// patch^2, width]
struct PatchEmbedding : Layer<PatchEmbedding> {
  std::vector<Conv2d> convolution;
  std::vector<LayerNorm> norm;
  Linear projection;
  PatchEmbeddingOptions options;

  PatchEmbedding(const PatchEmbeddingOptions& chosen, Random& random);

  Tensor forward(const Tensor& x) const;
  void visit(auto&& each) const {
    each("convolution", convolution);
    each("norm", norm);
    each("projection", projection);
  }
};

}  // namespace mixtape::nn
