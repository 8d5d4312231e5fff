#pragma once

#include <cstdint>
#include <string>

#include "data/images.h"

namespace mixtape::data {

/// Pictures of the digits 0 to 9 that are drawn, not read: a data set which needs no download. 28 x 28, one channel,
/// white on black, the classes in turn: picture i shows i % 10.
///
/// Each digit is a few strokes of a pen (data/digit_shapes.h) in one of two or three ways to write it. Slant, rotation,
/// size, aspect, place, thickness, the tremble of the hand, the sharpness of the edge, the strength of the ink and the
/// grain of the paper are random, so that no pixel says much by itself (a linear softmax does not reach 92 %), while
/// the shapes stay clear to the eye (a small convolutional network reaches 99 %).
///
/// Picture i is a function of (seed, i). 60,000 of them take about a second.
ImageSet draw_digits(int64_t count, uint64_t seed);

/// A part of the set that a seed stands for: `train`, 60,000 pictures, or `test`, 10,000 others. Throws for another
/// part.
ImageSet read_digits(const std::string& part, uint64_t seed = 1);

}  // namespace mixtape::data
