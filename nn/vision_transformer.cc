#include "nn/vision_transformer.h"

#include <fmt/format.h>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

const VisionTransformerOptions& checked(const VisionTransformerOptions& options) {
  const int64_t patch = options.patch, height = options.image_height, width = options.image_width;
  if (patch < 1 || height < patch || width < patch || height % patch != 0 || width % patch != 0) {
    fail(fmt::format("vision transformer: images of {} x {} in patches of {}, expected multiples of the patch", height,
                     width, patch));
  }
  return options;
}

}  // namespace

VisionTransformer::VisionTransformer(const VisionTransformerOptions& chosen, Random& random)
    : embedding({.patch = checked(chosen).patch,
                 .channels = chosen.channels,
                 .width = chosen.block.width,
                 .stem = chosen.stem},
                random),
      encoder(chosen.layers, chosen.block, random),
      head(chosen.block.width, chosen.classes, random),
      options(chosen) {
  if (options.pooling == Pooling::class_token) class_token = zeros_parameter({options.block.width});
  if (options.positions == PositionKind::learned) {
    positions.emplace(tokens(), options.block.width, random);
  } else {
    grid_positions.emplace(patch_rows(), patch_columns(), options.block.width);
  }
}

// [B, T, C]. The class token has a position only if positions are learned.
Tensor VisionTransformer::embed(const Tensor& images) const {
  Tensor x = embedding(images);
  if (grid_positions) x = (*grid_positions)(x);
  if (class_token) x = concat({broadcast_to(class_token, {x.size(0), 1, options.block.width}), x}, 1);
  if (positions) x = (*positions)(x, Tensor::range(tokens()));
  return dropout(x, options.block.dropout);
}

Tensor VisionTransformer::forward(const Tensor& images) const {
  const Shape expected{options.image_height, options.image_width, options.channels};
  if (images.rank() != 4 || !(images.shape().slice(1, 4) == expected)) {
    fail(fmt::format("vision transformer: images {}, expected [B, {}, {}, {}]", to_string(images.shape()), expected[0],
                     expected[1], expected[2]));
  }
  const int64_t batch = images.size(0);
  const Tensor rows = reshape(embed(images), {batch * tokens(), options.block.width});
  const Attend attend{.queries = Bounds::uniform(batch, tokens())};
  if (class_token && !options.all_tokens && !AttentionRecorder::active())
    return head(encoder(rows, attend, first_rows(attend.queries)));
  const Tensor y = reshape(encoder(rows, attend), {batch, tokens(), options.block.width});
  if (!class_token) return head(mean(y, 1));
  return head(reshape(slice(y, 1, 0, 1), {batch, options.block.width}));
}

}  // namespace mixtape::nn
