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
  double epoch = kNone;                      ///< passes over the data, fractional
  double loss = kNone;                       ///< training loss
  double learning_rate = kNone;              ///< of this step
  double grad_norm = kNone;                  ///< global norm before clipping
  double items_per_second = kNone;           ///< tokens or images
  double seconds = kNone;                    ///< of training, earlier processes included
  std::map<std::string, double> extra = {};  ///< further values: `val_loss`, `bleu`
};

/// Appends to metrics.jsonl, one line per write. A failed write leaves the file unchanged.
class MetricsWriter {
 public:
  /// Starts an empty file.
  explicit MetricsWriter(const std::string& path);

  /// Continues after step `last_step` in epoch `last_epoch`: first removes (atomically) lines of later steps or epochs,
  /// and an incomplete last line. Creates a missing file. Throws as read_metrics does.
  MetricsWriter(const std::string& path, int64_t last_step, double last_epoch);

  ~MetricsWriter();
  MetricsWriter(const MetricsWriter&) = delete;
  MetricsWriter& operator=(const MetricsWriter&) = delete;

  /// Throws mixtape::Error with the path and the reason, such as a full disk.
  void write(const Metrics& metrics);

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// All lines of the file. An incomplete last line, without newline, is skipped. Throws mixtape::Error with the line
/// number for any other line that is not an object with an integer `step`.
std::vector<Metrics> read_metrics(const std::string& path);

/// One curve: x is the step, y the value `name` (a field of Metrics or a key of `extra`), where it is present and
/// finite.
std::vector<Point> metric_points(const std::vector<Metrics>& rows, std::string_view name);

}  // namespace mixtape::examples
