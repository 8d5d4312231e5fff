#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "examples/common/points.h"

namespace mixtape::examples {

/// One line of metrics.jsonl. A value that is not finite is written as null and read back as NaN.
struct Metrics {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  int64_t step = 0;                          ///< steps done
  double epoch = kNone;                      ///< passes over the data, with fraction
  double loss = kNone;                       ///< training loss
  double learning_rate = kNone;              ///< of this step
  double grad_norm = kNone;                  ///< global norm before clipping
  double items_per_second = kNone;           ///< tokens or images
  double seconds = kNone;                    ///< of training so far, earlier processes included
  std::map<std::string, double> extra = {};  ///< further values where there are any: `val_loss`, `bleu`
};

/// Appends to metrics.jsonl, a whole line in one write. After a failed write the file is as it was before.
class MetricsWriter {
 public:
  /// Starts an empty file.
  explicit MetricsWriter(const std::string& path);

  /// Goes on after step `last_step` in epoch `last_epoch`: lines of later steps or epochs, and a last line that a kill
  /// cut off, are removed first (atomically). A missing file is started. Throws as read_metrics does.
  MetricsWriter(const std::string& path, int64_t last_step, double last_epoch);

  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  /// Throws mixtape::Error with the path and the reason, if the disk is full for instance.
  void write(const Metrics& metrics);

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// All lines of the file. A last line without its newline that is no whole JSON object is left out. Throws
/// mixtape::Error with the line number for any other line that is not an object with a whole number `step`.
std::vector<Metrics> read_metrics(const std::string& path);

/// One curve: x is the step, y the value `name` (a field of Metrics or a key of `extra`), where it is there and finite.
std::vector<Point> metric_points(const std::vector<Metrics>& rows, std::string_view name);

}  // namespace mixtape::examples
