#pragma once

#include "nn/encoder.h"
#include "nn/patch_embedding.h"
#include "nn/positions.h"
#include "nn/sinusoidal_positions_2d.h"

namespace mixtape::nn {

/// The input of the classification head.
enum class Pooling {
  class_token,  ///< a learned token in front of those of the image
  mean          ///< the mean of all tokens
};

enum class PositionKind { learned, sinusoidal };

struct VisionTransformerOptions {
  int64_t image_height = 32;
  int64_t image_width = 32;
  int64_t channels = 3;
  int64_t patch = 4;  ///< height and width of a patch in pixels; divides height and width of the image
  int64_t classes = 10;
  BlockOptions block = {};  ///< of every layer; `dropout` also applies to the embeddings. The paper uses GELU
  int64_t layers = 6;
  Pooling pooling = Pooling::class_token;
  bool all_tokens = false;  ///< with a class token, compute the other outputs of the last layer too
  PositionKind positions = PositionKind::learned;
  Stem stem = Stem::patch;
};

/// Classifies images as sequences of patches (Dosovitskiy et al. 2021): each patch becomes a token, encoder layers
/// process the tokens, and a linear head classifies the class token or the mean of all tokens. An AttentionRecorder
/// gets the attention weights of each layer, [B, heads, T, T]; token 0 is the class token, if there is one, and the
/// patches follow in row-major order. C is the width.
struct VisionTransformer : Layer<VisionTransformer> {
  PatchEmbedding embedding;
  Tensor class_token;                                   ///< [C], 0 initially; undefined if not used
  std::optional<LearnedPositions> positions;            ///< of all tokens
  std::optional<SinusoidalPositions2d> grid_positions;  ///< of the patches
  Encoder encoder;
  Linear head;  ///< C -> classes
  VisionTransformerOptions options;

  VisionTransformer(const VisionTransformerOptions& chosen, Random& random);

  /// T, the tokens of an image: its patches, and the class token.
  int64_t tokens() const { return patch_rows() * patch_columns() + (class_token ? 1 : 0); }
  int64_t patch_rows() const { return options.image_height / options.patch; }
  int64_t patch_columns() const { return options.image_width / options.patch; }

  /// The logits of the classes.   images: [B, image_height, image_width, channels]  result: [B, classes]
  Tensor forward(const Tensor& images) const;

  void visit(auto&& each) const {
    each("embedding", embedding);
    each("class_token", class_token);
    each("positions", positions);
    each("grid_positions", grid_positions);
    each("encoder", encoder);
    each("head", head);
  }

 private:
  Tensor embed(const Tensor& images) const;
};

}  // namespace mixtape::nn
