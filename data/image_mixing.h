#pragma once

#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"

namespace mixtape::data {

/// A draw from the beta distribution of alpha and alpha, by two from the gamma distribution (Marsaglia and Tsang 2000,
/// "A simple method for generating gamma variables"). alpha > 0
double draw_beta(double alpha, Random& random);

/// Mixes each picture i with picture B - 1 - i, in place: lambda x_i + (1 - lambda) x_j.   images: f32 [B, H, W, C]
void mixup(const Tensor& images, double lambda);

/// Swaps a rectangle at a random place, cut off at the border, between the pictures i and B - 1 - i, in place. Its area
/// is about 1 - lambda of the picture's; returns the share of the area outside it.   images: f32 [B, H, W, C]
double cutmix(const Tensor& images, double lambda, Random& random);

/// Targets of mixed pictures: lambda for the class of i plus 1 - lambda for that of B - 1 - i.   labels: i32 [B]
/// result: f32 [B, classes]
Tensor mixed_targets(const Tensor& labels, int64_t classes, double lambda);

}  // namespace mixtape::data
