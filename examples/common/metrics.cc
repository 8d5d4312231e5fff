#include "examples/common/metrics.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "autograd/files/file.h"
#include "autograd/files/json.h"
#include "autograd/tensors/error.h"

namespace mixtape::examples {
namespace {

struct NamedField {
  std::string_view name;
  double Metrics::*value;
};

constexpr std::array<NamedField, 6> kFields = {{{"epoch", &Metrics::epoch},
                                                {"loss", &Metrics::loss},
                                                {"learning_rate", &Metrics::learning_rate},
                                                {"grad_norm", &Metrics::grad_norm},
                                                {"items_per_second", &Metrics::items_per_second},
                                                {"seconds", &Metrics::seconds}}};

double Metrics::*field_of(std::string_view name) {
  for (const NamedField& field : kFields) {
    if (field.name == name) return field.value;
  }
  return nullptr;
}

std::string to_line(const Metrics& metrics) {
  Json line{{"step", metrics.step}};
  for (const NamedField& field : kFields) line[field.name] = metrics.*field.value;
  for (const auto& [name, value] : metrics.extra) line[name] = value;
  return to_text(line) + "\n";
}

std::optional<Metrics> from_line(std::string_view line) {
  const std::optional<Json> values = try_parse_json(line);
  const Json* step = values ? values->find("step") : nullptr;
  if (step == nullptr || step->get_if<int64_t>() == nullptr) return std::nullopt;
  Metrics metrics;
  metrics.step = step->get<int64_t>();
  for (const auto& [name, value] : values->get<Json::Object>()) {
    if (name == "step" || !(value.is_number() || value.is_null())) continue;
    const double number = value.is_null() ? Metrics::kNone : value.number();
    if (double Metrics::*field = field_of(name)) {
      metrics.*field = number;
    } else {
      metrics.extra[name] = number;
    }
  }
  return metrics;
}

/// Calls each(metrics, line without newline) for every complete line.
template <class Each>
void for_each_line(const std::string& path, std::string_view text, Each each) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    const std::optional<Metrics> metrics = from_line(line);
    const bool torn = newline == text.npos;
    if (metrics) {
      each(*metrics, line);
    } else if (!torn) {
      fail(fmt::format("{}:{}: expected a JSON object with a whole number \"step\"", path, number));
    }
    if (torn) return;
    text.remove_prefix(newline + 1);
  }
}

void cut_back(const std::string& path, int64_t last_step, double last_epoch) {
  if (access(path.c_str(), F_OK) != 0) return;
  const std::string text = read_file(path);
  std::string remaining;
  for_each_line(path, text, [&](const Metrics& metrics, std::string_view line) {
    const bool later = metrics.step > last_step || metrics.epoch > last_epoch;
    if (!later) remaining.append(line).append("\n");
  });
  if (remaining != text) write_atomically(path, remaining);
}

int open_to_append(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0666);
  if (descriptor < 0) fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return descriptor;
}

}  // namespace

MetricsWriter::MetricsWriter(const std::string& path) : path_(path), descriptor_(open_to_append(path, O_TRUNC)) {}

MetricsWriter::MetricsWriter(const std::string& path, int64_t last_step, double last_epoch) : path_(path) {
  cut_back(path, last_step, last_epoch);
  descriptor_ = open_to_append(path, 0);
}

MetricsWriter::~MetricsWriter() { close(descriptor_); }

void MetricsWriter::write(const Metrics& metrics) {
  const std::string line = to_line(metrics);
  struct stat before = {};
  if (fstat(descriptor_, &before) != 0) fail(fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      const bool restored = rest.size() == line.size() || ftruncate(descriptor_, before.st_size) == 0;
      fail(fmt::format("cannot write {}: {}{}", path_, std::strerror(reason),
                       restored ? "" : " (last line is cut off)"));
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

std::vector<Metrics> read_metrics(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<Metrics> rows;
  for_each_line(path, text, [&](const Metrics& metrics, std::string_view) { rows.push_back(metrics); });
  return rows;
}

std::vector<Point> metric_points(const std::vector<Metrics>& rows, std::string_view name) {
  double Metrics::*field = field_of(name);
  std::vector<Point> points;
  for (const Metrics& row : rows) {
    double value = Metrics::kNone;
    if (field != nullptr) {
      value = row.*field;
    } else if (const auto found = row.extra.find(std::string(name)); found != row.extra.end()) {
      value = found->second;
    }
    if (std::isfinite(value)) points.push_back({static_cast<double>(row.step), value});
  }
  return points;
}

}  // namespace mixtape::examples
