#pragma once

#include <cstdint>

#include "autograd/tensors/random.h"
#include "data/image_operations.h"

namespace mixtape::data {

/// RandAugment (Cubuk et al. 2020, "RandAugment: Practical automated data augmentation with a reduced search space").
struct RandAugment {
  int operations = 0;    ///< so many operations, drawn with replacement; 0: none
  double magnitude = 9;  ///< 0 to 10: how strong each is
};

/// Random changes to training pictures; the defaults change nothing. They are made in this order.
struct AugmentOptions {
  int64_t crop_padding = 0;  ///< a crop of the picture's size out of the picture with so many black pixels around it
  bool flip = false;         ///< left and right are swapped in half of the pictures
  RandAugment rand_augment = {};
  double erasing = 0;  ///< probability of a rectangle of noise (Zhong et al. 2020, "Random Erasing Data Augmentation"):
                       ///< 2 to 33 % of the area, sides 3:10 to 10:3
};

/// Throws if an option is out of range.
void check(const AugmentOptions& options);

/// Changes a picture in place by draws from `random`.
void augment(ImageView image, const AugmentOptions& options, Random& random);

/// One operation of RandAugment, each of these with the same chance, at magnitude m of 10:
/// - identity, auto_contrast, equalize;
/// - rotate by 3 m degrees, shear_x and shear_y by 0.03 m, translate by 0.045 m of the width or height; either way;
/// - brightness, contrast and sharpness by a factor of 1 + 0.09 m or 1 - 0.09 m;
/// - posterize to 8 - 0.4 m bits, solarize from 256 - 25.6 m; so that, as with all others, more is stronger.
void rand_augment_operation(ImageView image, double magnitude, Random& random);

}  // namespace mixtape::data
