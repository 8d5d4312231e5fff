#include "nn/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "autograd/tape/flops.h"

namespace mixtape::nn {
namespace {

struct Row {
  std::string path, type, shape;
  int64_t parameters = 0, flops = 0;
  size_t order = 0;
};

// Parameters of the layer itself: those named `path.x` without a further dot.
int64_t own_parameters(const NamedTensors& parameters, const std::string& path) {
  const std::string prefix = path.empty() ? "" : path + ".";
  int64_t count = 0;
  for (const NamedTensor& x : parameters) {
    if (x.name.starts_with(prefix) && x.name.find('.', prefix.size()) == std::string::npos)
      count += x.tensor.elements();
  }
  return count;
}

std::string grouped(int64_t number) {
  std::string text = fmt::format("{}", number);
  for (int64_t i = static_cast<int64_t>(text.size()) - 3; i > 0; i -= 3) text.insert(static_cast<size_t>(i), ",");
  return text;
}

}  // namespace

std::string summary(const LayerBase& model, const std::function<void()>& run) {
  const NamedTensors all = parameters(model);
  struct Start {
    int64_t flops;
    size_t order;
  };
  std::vector<Row> rows;
  std::vector<Start> starts;
  size_t entered = 0;
  const FlopCounter counter;
  {
    const Pause pause;
    const ForwardObserver observer(
        [&] {
          starts.push_back({counter.count(), entered++});
        },
        [&](const std::string& path, const std::string& type, const Tensor& output) {
          rows.push_back({path, type, to_string(output.shape()), own_parameters(all, path),
                          counter.count() - starts.back().flops, starts.back().order});
          starts.pop_back();
        });
    run();
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.order < b.order; });
  size_t width = 5;
  for (const Row& row : rows) width = std::max(width, row.path.size());
  std::string text =
      fmt::format("{:<{}}  {:<20} {:<16} {:>12} {:>16}\n", "layer", width, "type", "output", "parameters", "FLOPs");
  for (const Row& row : rows) {
    text += fmt::format("{:<{}}  {:<20} {:<16} {:>12} {:>16}\n", row.path, width, row.type, row.shape,
                        grouped(row.parameters), grouped(row.flops));
  }
  return text + fmt::format("total: {} parameters, {} FLOPs of matrix products in one forward pass\n",
                            grouped(count_elements(all)), grouped(counter.count()));
}

}  // namespace mixtape::nn
