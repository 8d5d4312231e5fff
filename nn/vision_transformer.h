#pragma once

#include "nn/encoder.h"
#include "nn/patch_embedding.h"
#include "nn/positions.h"
#include "nn/sinusoidal_positions_2d.h"

namespace mixtape::nn {

/// What the class is read from.
enum class Pooling {
  class_token,  ///< a learned token, put before those of the image
  mean          ///< the mean of all tokens
};

enum class PositionKind { learned, sinusoidal };

struct VisionTransformerOptions {
  int64_t image_height = 32;
  int64_t image_width = 32;
  int64_t channels = 3;
  int64_t patch = 4;  ///< height and width of a patch in pixels; image sizes are multiples of it
  int64_t classes = 10;
  BlockOptions block = {};  ///< of every layer; its dropout is also on the embedding sums. The paper's has GELU
  int64_t layers = 6;
  Pooling pooling = Pooling::class_token;
  bool all_tokens = false;  ///< compute also what the class token does not depend on: the others of the last layer
  PositionKind positions = PositionKind::learned;
  Stem stem = Stem::patch;
};

/// Classifies images as sequences of patches (Dosovitskiy et al. 2021): each patch becomes a token, the tokens attend
/// to one another in encoder layers, and a linear layer reads the class from the class token or from their
/// mean. With an AttentionRecorder it gives the attention of each layer and head, [B, heads, T, T]; token 0 is the
/// class token if there is one, and the patches follow row by row.
struct VisionTransformer : Layer<VisionTransformer> {
  PatchEmbedding embedding;
  Tensor class_token;                                   ///< [width], 0 at first; undefined if not used
  std::optional<LearnedPositions> positions;            ///< of all tokens
  std::optional<SinusoidalPositions2d> grid_positions;  ///< of the patches
  Encoder encoder;
  Linear head;  ///< C -> classes
  VisionTransformerOptions options;

  VisionTransformer(const VisionTransformerOptions& chosen, Random& random);

  /// Tokens of an image: its patches, and the class token.
  int64_t tokens() const { return patch_rows() * patch_columns() + (class_token ? 1 : 0); }
  int64_t patch_rows() const { return options.image_height / options.patch; }
  int64_t patch_columns() const { return options.image_width / options.patch; }

  /// Scores of the classes.   images: [B, image_height, image_width, channels]  result: [B, classes]
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
