#pragma once

#include <cstdint>
#include <vector>

#include "autograd/kernels/windows.h"

namespace mixtape::tests {

/// Windows of many kinds: overlapping, apart, one pixel, as large as the image, larger than it, and images of odd
/// sizes.
inline std::vector<kernels::Windows> window_cases() {
  return {
      {.batch = 2, .height = 4, .width = 4, .channels = 3, .window_height = 2, .window_width = 2, .stride = 2},
      {.batch = 3, .height = 7, .width = 5, .channels = 4, .window_height = 3, .window_width = 3, .padding = 1},
      {.batch = 1, .height = 9, .width = 6, .channels = 17, .window_height = 3, .window_width = 2, .stride = 2},
      {.batch = 2, .height = 5, .width = 8, .channels = 1, .window_height = 1, .window_width = 1},
      {.batch = 1, .height = 5, .width = 3, .channels = 2, .window_height = 5, .window_width = 3},
      {.batch = 2, .height = 2, .width = 3, .channels = 5, .window_height = 4, .window_width = 4, .padding = 2},
      {.batch = 1, .height = 8, .width = 8, .channels = 3, .window_height = 2, .window_width = 2, .stride = 3},
      {.batch = 2,
       .height = 11,
       .width = 13,
       .channels = 33,
       .window_height = 5,
       .window_width = 3,
       .stride = 2,
       .padding = 2},
      {.batch = 1,
       .height = 3,
       .width = 3,
       .channels = 2,
       .window_height = 2,
       .window_width = 2,
       .stride = 1,
       .padding = 3},
      {.batch = 0, .height = 3, .width = 3, .channels = 2, .window_height = 2, .window_width = 2},
  };
}

/// Calls f(window, place, element) for each number of each window: `place` counts within the window, `element` is where
/// it stands in the images, or -1 outside.
template <class F>
void for_each_number(const kernels::Windows& w, const F& f) {
  int64_t window = 0;
  for (int64_t b = 0; b < w.batch; ++b) {
    for (int64_t i = 0; i < w.rows(); ++i) {
      for (int64_t j = 0; j < w.columns(); ++j, ++window) {
        int64_t place = 0;
        for (int64_t u = 0; u < w.window_height; ++u) {
          for (int64_t v = 0; v < w.window_width; ++v) {
            const int64_t y = i * w.stride + u - w.padding, x = j * w.stride + v - w.padding;
            const bool inside = y >= 0 && y < w.height && x >= 0 && x < w.width;
            for (int64_t c = 0; c < w.channels; ++c, ++place)
              f(window, place, inside ? ((b * w.height + y) * w.width + x) * w.channels + c : -1);
          }
        }
      }
    }
  }
}

}  // namespace mixtape::tests
