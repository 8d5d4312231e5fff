#pragma once

#include <vector>

namespace mixtape::data {

/// A place in a digit's box, which is 12 wide and 20 high; y points down.
struct StrokePoint {
  float x = 0, y = 0;
};

/// A line of the pen: a smooth curve through its points. A point given twice is a corner; a curve that ends where it
/// begins is closed without one.
using Stroke = std::vector<StrokePoint>;

/// The ways in which people write one digit, each a few strokes.
using DigitVariants = std::vector<std::vector<Stroke>>;

/// The variants of each digit, 0 to 9.
const std::vector<DigitVariants>& digit_shapes();

/// The curve as a polyline: the uniform spline of Catmull and Rom (1974, "A class of local interpolating splines")
/// with `pieces` straight pieces between two points.
Stroke flatten(const Stroke& stroke, int pieces);

}  // namespace mixtape::data
