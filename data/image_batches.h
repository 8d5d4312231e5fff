#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensors/tensor.h"
#include "data/augment.h"
#include "data/images.h"
#include "data/prefetch.h"

namespace mixtape::data {

/// What is subtracted from the pixels of each channel, as numbers 0 to 1, and what the difference is divided by.
struct Normalization {
  std::vector<float> mean, deviation;
};

/// Mean and standard deviation of each channel over all pictures. A channel of one value has the deviation 1.
Normalization normalization_of(const ImageSet& images);

/// The given pictures as a batch: (pixel / 255 - mean) / deviation.   result: f32 [B, H, W, C]. Throws if the
/// normalization is for another number of channels or its deviation is not positive, and if an index is out of range.
Tensor to_tensor(const ImageSet& images, const std::vector<int64_t>& indices, const Normalization& normalization);

struct ImageBatch {
  Tensor images;      ///< f32 [B, H, W, C]
  Tensor labels;      ///< i32 [B]; of mixed pictures, that of the first
  Tensor targets;     ///< f32 [B, V], the shares of the classes in mixed pictures; undefined without mixup and CutMix
  int64_t index = 0;  ///< number of the batch within the epoch
};

struct ImageBatchOptions {
  int64_t images = 128;  ///< B
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t first = 0;      ///< batches to leave out at the start, to go on within an epoch
  bool shuffle = true;    ///< otherwise pictures come in order
  bool drop_last = true;  ///< leave out the pictures at the end that do not fill a batch, unless they are all there are
  AugmentOptions augment = {};
  double mixup = 0;   ///< alpha of mixup; 0: none
  double cutmix = 0;  ///< alpha of CutMix; 0: none. With both, each batch has one of them, with even chance
};

/// Which pictures are in which batch of an epoch: a function of their number, (seed, epoch) and the options. Throws if
/// an option is out of range.
std::vector<std::vector<int64_t>> plan_image_batches(int64_t count, const ImageBatchOptions& options);

/// The batches of an epoch, augmented, normalised and mixed ahead by a thread of their own. What is drawn for a picture
/// depends on (seed, epoch) and its number in the set alone, what is drawn for mixing on (seed, epoch) and the number
/// of the batch. The set must outlive the batches.
///
/// Picture i of a mixed batch is mixed with picture B - 1 - i; lambda, the share of the first, is drawn once a batch
/// from the beta distribution of alpha and alpha:
/// - mixup (Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization"): lambda x_i + (1 - lambda) x_j;
/// - CutMix (Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features"):
///   a rectangle of x_i, (1 - lambda) of its area, comes from x_j; lambda is then what is left of x_i, for the
///   rectangle is cut off at the border.
Prefetch<ImageBatch> image_batches(const ImageSet& images, const Normalization& normalization,
                                   const ImageBatchOptions& options = {});

}  // namespace mixtape::data
