#include "examples/common/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "autograd/tensors/error.h"
#include "optim/schedule.h"

namespace mixtape::examples {
namespace {

struct Setting {
  Json before;
  Json* value;
};

// All values that are not objects, by dotted name.
void collect(Json& value, const std::string& name, std::map<std::string, Setting>& settings) {
  auto* members = value.get_if<Json::Object>();
  if (members == nullptr) {
    settings[name] = {value, &value};
  } else {
    for (auto& [member, inner] : *members)
      collect(inner, name.empty() ? member : fmt::format("{}.{}", name, member), settings);
  }
}

std::string kind_of(const Json& value) {
  if (value.is_whole_number()) return "a whole number";
  if (value.is_number()) return "a number";
  return value.get_if<bool>() != nullptr ? "true or false" : "a text";
}

// An integer is valid where a number is expected.
bool fits(const Json& given, const Json& before) {
  return kind_of(given) == kind_of(before) || (given.is_whole_number() && before.is_number());
}

}  // namespace

Plan new_plan(const TrainOptions& options, int64_t epochs) {
  Plan plan{.data = options.data,
            .seed = options.seed,
            .steps = options.steps.value_or(0),
            .epochs = options.epochs.value_or(0),
            .minutes = options.minutes.value_or(0),
            .dtype = options.dtype == name_of(bf16) ? bf16 : f32};
  if (plan.steps == 0 && plan.epochs == 0 && plan.minutes == 0) plan.epochs = epochs;
  return plan;
}

Plan read_plan(const Config& config, const std::string& program, const TrainOptions& options) {
  config.expect("program", program);
  config.expect("data", options.data);
  if (!options.settings.empty()) fail("--set: a run keeps the settings that it began with");
  Plan plan = new_plan(options, 0);
  plan.seed = static_cast<uint64_t>(config.integer("seed"));
  if (!options.dtype.empty()) config.expect("dtype", options.dtype);
  plan.dtype = config.text("dtype") == name_of(bf16) ? bf16 : f32;
  if (options.steps || options.epochs || options.minutes) return plan;
  plan.steps = config.integer("steps");
  plan.epochs = config.integer("epochs");
  plan.minutes = config.number("minutes");
  return plan;
}

Json to_json(const Plan& plan, const std::string& program) {
  return {{"program", program},    {"data", plan.data},       {"seed", plan.seed},           {"steps", plan.steps},
          {"epochs", plan.epochs}, {"minutes", plan.minutes}, {"dtype", name_of(plan.dtype)}};
}

Json with_settings(const Json& settings, const std::vector<std::string>& changes) {
  Json result = settings;
  std::map<std::string, Setting> by_name;
  collect(result, "", by_name);
  for (const std::string& change : changes) {
    const size_t equals = change.find('=');
    if (equals == change.npos) fail(fmt::format("--set {}: expected NAME=VALUE", change));
    const std::string name = change.substr(0, equals), text = change.substr(equals + 1);
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      std::vector<std::string> names;
      for (const auto& [known, setting] : by_name) names.push_back(known);
      fail(fmt::format("--set {}: no setting {}, expected one of {}", change, name, fmt::join(names, ", ")));
    }
    const auto& [before, value] = found->second;
    const auto given = before.get_if<std::string>() != nullptr ? Json(text) : try_parse_json(text);
    if (!given || !fits(*given, before)) fail(fmt::format("--set {}: expected {}", change, kind_of(before)));
    *value = *given;
  }
  return result;
}

double RateSchedule::operator()(int64_t step, int64_t total) const {
  if (name == "inverse-square-root") return optim::InverseSquareRoot{.peak = peak, .warmup = warmup}(step);
  if (total == 0) return peak * std::min(1.0, static_cast<double>(step) / static_cast<double>(warmup));
  const int64_t rise = std::min(warmup, std::max<int64_t>(total / 4, 1));
  return optim::Cosine{.peak = peak, .warmup = rise, .total = std::max(total, rise + 1), .floor = peak / 50}(step);
}

void check(const RateSchedule& schedule) {
  if (schedule.name != "cosine" && schedule.name != "inverse-square-root") {
    fail(fmt::format("setting schedule: {}, expected cosine or inverse-square-root", schedule.name));
  }
  if (!(schedule.peak > 0)) fail(fmt::format("setting learning_rate: {}, expected more than 0", schedule.peak));
  if (schedule.warmup < 1) fail(fmt::format("setting warmup: {}, expected at least 1", schedule.warmup));
}

}  // namespace mixtape::examples
