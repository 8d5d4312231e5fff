#include "autograd/ops.h"
#include "tests/autograd/gradient_table.h"

namespace mixtape::tests {

using In = const std::vector<Tensor>&;

std::vector<GradientRow> image_rows() {
  const WindowOptions overlapping{.height = 3, .width = 2, .stride = 2, .padding = 1};
  const WindowOptions apart{.height = 2, .width = 1, .stride = 3};
  const Tensor x = normal({2, 4, 3, 2}), weight = normal({3, 2, 2, 2}, 2), bias = normal({3}, 3);
  return {
      {"unfold", [=](In in) { return unfold(in[0], overlapping); }, {x}},
      {"unfold, windows apart", [=](In in) { return unfold(in[0], apart); }, {normal({1, 6, 4, 2})}},
      {"unfold, times the image",
       [=](In in) {
         return sum(unfold(in[0], {1, 1}) * in[0]);
       },
       {x}},
      {"fold",
       [=](In in) {
         return fold(in[0], {2, 4, 3, 2}, overlapping);
       },
       {normal({2, 2, 2, 12})}},
      {"fold, of unfold",
       [=](In in) { return fold(unfold(in[0], overlapping), in[0].shape(), overlapping) * in[0]; },
       {x}},
      {"patches", [](In in) { return patches(in[0], 2); }, {normal({2, 4, 2, 3})}},
      {"patches, one pixel", [](In in) { return patches(in[0], 1); }, {x}},
      {"conv2d", [](In in) { return conv2d(in[0], in[1], in[2]); }, {x, weight, bias}},
      {"conv2d, no bias", [](In in) { return conv2d(in[0], in[1]); }, {x, weight}},
      {"conv2d, stride and padding",
       [](In in) { return conv2d(in[0], in[1], in[2], {.stride = 2, .padding = 1}); },
       {x, weight, bias}},
      {"conv2d, one pixel", [](In in) { return conv2d(in[0], in[1]); }, {x, normal({2, 1, 1, 2})}},
      {"conv2d, constant image", [x](In in) { return conv2d(x, in[0], in[1]); }, {weight, bias}},
      {"conv2d, constant weight", [weight](In in) { return conv2d(in[0], weight); }, {x}},
      {"conv2d, weight used twice",
       [](In in) { return conv2d(tanh(conv2d(in[0], in[1], {}, {.padding = 1})), in[1], {}, {.padding = 1}); },
       {normal({1, 3, 2, 1}), normal({1, 3, 3, 1})}},
      {"max_pool2d", [](In in) { return max_pool2d(in[0]); }, {spread({2, 4, 4, 2})}},
      {"max_pool2d, overlapping",
       [](In in) { return max_pool2d(in[0], {.size = 3, .stride = 2, .padding = 1}); },
       {spread({2, 5, 3, 2})}},
      {"average_pool2d", [](In in) { return average_pool2d(in[0]); }, {normal({2, 4, 5, 2})}},
      {"average_pool2d, overlapping",
       [](In in) { return average_pool2d(in[0], {.size = 3, .stride = 1, .padding = 1}); },
       {normal({1, 4, 3, 2})}},
  };
}

}  // namespace mixtape::tests
