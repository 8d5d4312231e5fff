#pragma once

#include <cstdint>
#include <vector>

#include "nn/multi_head_attention.h"

namespace mixtape::vit {

/// A number for each patch, in row-major order.
using PatchWeights = std::vector<double>;

/// The attention of the class token of one image to each patch, by layer and head, without its attention to itself.
/// Without a class token: the mean over all patches. `layers` are the recorded weights of a vision
/// transformer, [B, H, T, T] each, in order. Throws if they are not, if there are none, or if `image` is not below B.
std::vector<std::vector<PatchWeights>> patch_attention(const std::vector<nn::AttentionRecorder::Entry>& layers,
                                                       int64_t image, bool class_token);

/// Attention rollout (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"): the contribution
/// of each patch to the class token through all layers, if residual connections carry half of each. With A_l the mean
/// over the heads of layer l and the rows of M_l = (A_l + I) / 2 scaled to sum to 1, it is the class token's row of M_L
/// ... M_2 M_1, without itself; without a class token, the mean of the rows. Throws as patch_attention does.
PatchWeights attention_rollout(const std::vector<nn::AttentionRecorder::Entry>& layers, int64_t image,
                               bool class_token);

}  // namespace mixtape::vit
