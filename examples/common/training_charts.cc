#include "examples/common/training_charts.h"

#include <fmt/format.h>

#include "examples/common/chart.h"

namespace mixtape::examples {

Html training_charts(const std::vector<Metrics>& rows, const TrainingCharts& charts) {
  const LineChart all[] = {
      {.title = "Loss",
       .y_label = fmt::format("nats per {}", charts.item),
       .series = {{fmt::format("training ({})", charts.training_loss), metric_points(rows, "loss"), true},
                  {"validation", metric_points(rows, "val_loss")}}},
      {.title = charts.score_title,
       .y_label = charts.score_unit,
       .series = {{charts.score_unit, metric_points(rows, charts.score)}}},
      {.title = "Learning rate", .series = {{"learning rate", metric_points(rows, "learning_rate")}}},
      {.title = "Gradient norm before clipping",
       .series = {{"norm", metric_points(rows, "grad_norm"), true}},
       .log_y = true},
      {.title = "Speed",
       .y_label = fmt::format("{}s per second", charts.item),
       .series = {{fmt::format("{}s/s", charts.item), metric_points(rows, "items_per_second"), true}}}};
  std::vector<Html> drawn;
  for (const LineChart& chart : all) drawn.push_back(line_chart(chart));
  return html_grid(drawn);
}

}  // namespace mixtape::examples
