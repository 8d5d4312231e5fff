#pragma once

#include <cstdint>
#include <span>

namespace mixtape::data {

/// A picture to change in place.
struct ImageView {
  std::span<uint8_t> pixels;  ///< [height, width, channels]
  int64_t height = 0, width = 0, channels = 0;
};

// --- geometry: what comes from outside the picture is black. Between pixels, bilinear.

/// Moves the picture right and down by whole pixels; negative: left and up.
void translate(ImageView image, int64_t right, int64_t down);
/// Mirrors left and right.
void flip(ImageView image);
/// Rotates counter-clockwise about the middle. As Pillow's Image.rotate.
void rotate(ImageView image, double degrees);
/// Row y of the result shows x + factor (y - middle) of the picture. As Pillow's Image.transform with that matrix.
void shear_x(ImageView image, double factor);
/// Column x of the result shows y + factor (x - middle) of the picture.
void shear_y(ImageView image, double factor);

// --- strength: factor 1 leaves the picture, 0 gives the dull one, more than 1 goes the other way. As Pillow's
// --- ImageEnhance; values are cut off, not rounded, as there.

/// The dull picture is black.
void brightness(ImageView image, double factor);
/// The dull picture is one grey: the mean luminance, rounded (of pictures that do not have three channels, the mean).
void contrast(ImageView image, double factor);
/// The dull picture is smoothed: each pixel but those at the border the mean of its 3 x 3, itself counted five times.
void sharpness(ImageView image, double factor);

// --- tables of values: as Pillow's ImageOps

/// Keeps the upper bits of each value. 0 <= bits <= 8
void posterize(ImageView image, int bits);
/// Values from `threshold` on become 255 - value.
void solarize(ImageView image, int threshold);
/// Stretches the values of each channel to 0 .. 255.
void auto_contrast(ImageView image);
/// Spreads the values of each channel evenly over 0 .. 255, as far as its histogram allows.
void equalize(ImageView image);

}  // namespace mixtape::data
