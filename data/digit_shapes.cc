#include "data/digit_shapes.h"

#include <cstddef>

namespace mixtape::data {
namespace {

bool same(const StrokePoint& a, const StrokePoint& b) { return a.x == b.x && a.y == b.y; }

float spline(float before, float from, float to, float after, float t) {
  const float slope = 0.5f * (to - before), last_slope = 0.5f * (after - from);
  const float square = -3 * from + 3 * to - 2 * slope - last_slope;
  const float cube = 2 * from - 2 * to + slope + last_slope;
  return from + t * (slope + t * (square + t * cube));
}

const DigitVariants kZero = {
    {{{6, 0}, {1, 4}, {0, 10}, {1, 16}, {6, 20}, {11, 16}, {12, 10}, {11, 4}, {6, 0}}},
    {{{8, 0}, {3, 2}, {0, 10}, {3, 18}, {6.5f, 20}, {10, 17}, {12, 9}, {10, 3}, {5, 1}}},
    {{{6, 0}, {2, 5}, {1.5f, 10}, {2, 15}, {6, 20}, {10, 15}, {10.5f, 10}, {10, 5}, {6, 0}}},
};

const DigitVariants kOne = {
    {{{6, 0}, {6, 20}}},
    {{{2, 5}, {7, 0}, {7, 0}, {7, 20}}},
    {{{2.5f, 4}, {6.5f, 0}, {6.5f, 0}, {6.5f, 20}}, {{2, 20}, {11, 20}}},
};

const DigitVariants kTwo = {
    {{{0.5f, 5}, {2, 1.5f}, {6, 0}, {10.5f, 2}, {11, 6.5f}, {7, 12}, {0, 20}, {0, 20}, {12, 20}}},
    {{{1, 3}, {6, 0}, {11, 3.5f}, {9, 10}, {4, 16.5f}, {1, 19}, {0.5f, 17}, {3.5f, 16}, {7, 19}, {12, 19}}},
    {{{1, 3}, {5, 0}, {10, 2}, {10, 7}, {6, 13}, {1, 19}, {1, 19}, {6, 18.5f}, {12, 20}}},
};

const DigitVariants kThree = {
    {{{1, 2.5f}, {6, 0}, {11, 4.5f}, {5, 9.5f}, {5, 9.5f}, {12, 14.5f}, {6, 20}, {0, 17}}},
    {{{1, 0}, {11, 0}, {11, 0}, {5, 8}, {5, 8}, {11, 11}, {11.5f, 16}, {6, 20}, {0, 17.5f}}},
    {{{0.5f, 3},
      {5, 0},
      {10.5f, 3},
      {9, 8},
      {4.5f, 9.5f},
      {4.5f, 9.5f},
      {10, 11},
      {11.5f, 16},
      {6, 20},
      {0.5f, 18.5f}}},
};

const DigitVariants kFour = {
    {{{2.5f, 0}, {0.5f, 12}, {0.5f, 12}, {12, 12}}, {{9, 4}, {8.5f, 20}}},
    {{{8.5f, 20}, {8.5f, 0}, {8.5f, 0}, {0, 13}, {0, 13}, {12, 13}}},
    {{{5, 0}, {0, 12.5f}, {0, 12.5f}, {12, 12}}, {{8, 7.5f}, {7.5f, 20}}},
};

const DigitVariants kFive = {
    {{{11, 0}, {2, 0}, {2, 0}, {1, 9}, {1, 9}, {6, 7.5f}, {11, 10}, {11.5f, 15}, {7, 20}, {0, 18}}},
    {{{2.5f, 1}, {1.5f, 9}, {1.5f, 9}, {8, 8}, {12, 13}, {9, 19}, {4.5f, 20}, {0, 18}}, {{2.5f, 0.5f}, {11.5f, 0}}},
};

const DigitVariants kSix = {
    {{{10, 0}, {4, 4}, {0.5f, 11}, {1, 17}, {6, 20}, {11, 17}, {11, 12.5f}, {6, 10}, {1, 14}}},
    {{{8, 0}, {3, 7}, {0.5f, 14}, {2, 18.5f}, {6, 20}, {10.5f, 18}, {11, 13.5f}, {7, 11}, {1.5f, 15}}},
};

const DigitVariants kSeven = {
    {{{0, 0}, {12, 0}, {12, 0}, {4, 20}}},
    {{{0, 0}, {11.5f, 0}, {11.5f, 0}, {4, 20}}, {{3.5f, 10}, {11, 10}}},
    {{{0, 3.5f}, {0.5f, 0}, {0.5f, 0}, {12, 0}, {12, 0}, {7, 9}, {5, 20}}},
};

const DigitVariants kEight = {
    {{{6, 0}, {1.5f, 4.5f}, {6, 9.5f}, {10.5f, 4.5f}, {6, 0}},
     {{6, 9.5f}, {0, 14.5f}, {6, 20}, {12, 14.5f}, {6, 9.5f}}},
    {{{10.5f, 4}, {6, 0}, {1.5f, 4}, {5.5f, 9.5f}, {11, 14.5f}, {6, 20}, {1, 15}, {5.5f, 10}, {10.5f, 4}}},
};

const DigitVariants kNine = {
    {{{10.5f, 5}, {6, 10.5f}, {1, 7}, {1.5f, 2}, {6, 0}, {10.5f, 5}, {10.5f, 5}, {10, 20}}},
    {{{11, 5.5f}, {6, 10}, {1, 7}, {1, 3}, {6, 0}, {10.5f, 3}, {11.5f, 9}, {8, 16}, {2, 20}}},
    {{{10.5f, 4}, {5.5f, 9.5f}, {1, 5}, {5.5f, 0}, {10.5f, 4}, {10.5f, 4}, {10.5f, 13}, {8, 19}, {2, 19}}},
};

}  // namespace

const std::vector<DigitVariants>& digit_shapes() {
  static const std::vector<DigitVariants> shapes = {kZero, kOne, kTwo,   kThree, kFour,
                                                    kFive, kSix, kSeven, kEight, kNine};
  return shapes;
}

Stroke flatten(const Stroke& stroke, int pieces) {
  Stroke line = {stroke.front()};
  const size_t last = stroke.size() - 1;
  const bool closed = last > 1 && same(stroke.front(), stroke.back());
  for (size_t i = 0; i < last; ++i) {
    const StrokePoint &from = stroke[i], &to = stroke[i + 1];
    if (same(from, to)) continue;
    const StrokePoint& before = i > 0 ? stroke[i - 1] : closed ? stroke[last - 1] : from;
    const StrokePoint& after = i + 1 < last ? stroke[i + 2] : closed ? stroke[1] : to;
    for (int piece = 1; piece <= pieces; ++piece) {
      const float t = static_cast<float>(piece) / static_cast<float>(pieces);
      line.push_back({spline(before.x, from.x, to.x, after.x, t), spline(before.y, from.y, to.y, after.y, t)});
    }
  }
  return line;
}

}  // namespace mixtape::data
