#include "optim/average.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "autograd/kernels/parallel.h"
#include "autograd/tensors/error.h"

namespace mixtape::optim {
namespace {

constexpr int64_t kGrain = 1 << 14;
constexpr std::string_view kSnapshot = "snapshot.";
constexpr const char* kScores = "scores";

// The mean of tensors of one shape; of index tensors, the last.
Tensor mean_of(const std::vector<Tensor>& x) {
  if (!is_differentiable(x[0].dtype())) return x.back().clone();
  Tensor mean = Tensor::like(x[0]);
  dispatch(mean.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<const T*> from;
    for (const Tensor& tensor : x) from.push_back(tensor.data<T>());
    T* to = mean.mutable_data<T>();
    kernels::parallel_for(mean.elements(), kGrain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        double sum = 0;
        for (const T* numbers : from) sum += static_cast<double>(numbers[i]);
        to[i] = static_cast<T>(sum / static_cast<double>(from.size()));
      }
    });
  });
  return mean;
}

// average <- decay average + (1 - decay) parameter
void move_towards(const Tensor& parameter, const Tensor& average, double decay) {
  double* to = average.mutable_data<double>();
  dispatch(parameter.dtype(), [&](auto zero) {
    const auto* from = parameter.data<decltype(zero)>();
    kernels::parallel_for(average.elements(), kGrain, [=](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) to[i] = decay * to[i] + (1 - decay) * static_cast<double>(from[i]);
    });
  });
}

// `snapshot.3.encoder.weight` as 3 and `encoder.weight`.
std::pair<size_t, std::string> parse(const std::string& name) {
  size_t index = 0;
  const char* end = name.data() + name.size();
  if (name.starts_with(kSnapshot)) {
    const auto [next, error] = std::from_chars(name.data() + kSnapshot.size(), end, index);
    if (error == std::errc() && next != end && *next == '.') return {index, std::string(next + 1, end)};
  }
  fail(fmt::format("checkpoint average: {} is unknown, expected snapshot.<number>.<parameter> or scores", name));
}

}  // namespace

CheckpointAverage::CheckpointAverage(int64_t count, Select select)
    : count_(static_cast<size_t>(count)), select_(select) {
  if (count < 1) fail(fmt::format("checkpoint average: count is {}, expected at least 1", count));
}

// The snapshot that one with this score replaces; the end if the score is too low.
std::vector<CheckpointAverage::Snapshot>::iterator CheckpointAverage::to_replace(double score) {
  if (select_ == Select::last) return snapshots_.begin();
  const auto worse = [](const Snapshot& a, const Snapshot& b) { return a.score < b.score; };
  const auto worst = std::min_element(snapshots_.rbegin(), snapshots_.rend(), worse);  // the latest of equal ones
  return score > worst->score ? std::prev(worst.base()) : snapshots_.end();
}

void CheckpointAverage::add(const NamedTensors& parameters, double score) {
  if (std::isnan(score)) fail("checkpoint average: the score is NaN");
  if (snapshots_.size() == count_) {
    const auto place = to_replace(score);
    if (place == snapshots_.end()) return;
    copy_into(parameters, place->tensors, "checkpoint average");
    place->score = score;
    std::rotate(place, place + 1, snapshots_.end());
    return;
  }
  NamedTensors copy = clone(snapshots_.empty() ? parameters : snapshots_[0].tensors);
  copy_into(parameters, copy, "checkpoint average");
  snapshots_.push_back({std::move(copy), score});
}

NamedTensors CheckpointAverage::average() const {
  if (snapshots_.empty()) fail("checkpoint average: there is no snapshot yet");
  NamedTensors result;
  for (size_t k = 0; k < snapshots_[0].tensors.size(); ++k) {
    std::vector<Tensor> x;
    for (const Snapshot& snapshot : snapshots_) x.push_back(snapshot.tensors[k].tensor);
    result.push_back({snapshots_[0].tensors[k].name, mean_of(x)});
  }
  return result;
}

NamedTensors CheckpointAverage::state() const {
  NamedTensors all;
  std::vector<double> scores;
  for (const Snapshot& snapshot : snapshots_) {
    for (const auto& [name, tensor] : snapshot.tensors)
      all.push_back({fmt::format("{}{}.{}", kSnapshot, scores.size(), name), tensor});
    scores.push_back(snapshot.score);
  }
  all.push_back({kScores, Tensor::from(scores, {size()})});
  return all;
}

void CheckpointAverage::load_state(const NamedTensors& state) {
  std::vector<NamedTensors> snapshots(count_);
  std::vector<double> scores;
  size_t held = 0;
  for (const NamedTensor& x : state) {
    if (x.name == kScores) {
      scores = x.tensor.values();
      continue;
    }
    const auto [index, name] = parse(x.name);
    if (index >= count_) fail(fmt::format("checkpoint average: {} is one of more than {} snapshots", x.name, count_));
    snapshots[index].push_back({name, x.tensor});
    held = std::max(held, index + 1);
  }
  if (scores.size() != held) fail(fmt::format("checkpoint average: {} scores for {} snapshots", scores.size(), held));
  CheckpointAverage loaded(static_cast<int64_t>(count_), select_);
  for (size_t i = 0; i < held; ++i) loaded.add(snapshots[i], scores[i]);
  *this = std::move(loaded);
}

MovingAverage::MovingAverage(const NamedTensors& parameters, const MovingAverageOptions& options)
    : parameters_(parameters), updates_(Tensor::zeros({}, i32)), options_(options) {
  if (!(options.decay >= 0 && options.decay < 1)) {
    fail(fmt::format("moving average: decay is {}, expected 0 <= decay < 1", options.decay));
  }
  for (const auto& [name, tensor] : parameters) {
    average_.push_back({name, is_differentiable(tensor.dtype()) ? tensor.to(f64) : tensor.clone()});
  }
}

void MovingAverage::update() {
  for (size_t k = 0; k < parameters_.size(); ++k) {
    const Shape &now = parameters_[k].tensor.shape(), &before = average_[k].tensor.shape();
    if (!(now == before)) {
      fail(
          fmt::format("moving average: {} is {}, expected {}", parameters_[k].name, to_string(now), to_string(before)));
    }
  }
  const double t = ++*updates_.mutable_data<int32_t>();
  const double decay = options_.warmup ? std::min(options_.decay, (1 + t) / (10 + t)) : options_.decay;
  for (size_t k = 0; k < parameters_.size(); ++k) {
    const Tensor &parameter = parameters_[k].tensor, &average = average_[k].tensor;
    if (is_differentiable(parameter.dtype())) {
      move_towards(parameter, average, decay);
    } else {
      average.copy_from(parameter);
    }
  }
}

NamedTensors MovingAverage::state() const {
  NamedTensors all;
  for (const auto& [name, tensor] : average_) all.push_back({"average.mean." + name, tensor});
  all.push_back({"average.updates", updates_});
  return all;
}

void MovingAverage::load_state(const NamedTensors& state) { copy_into(state, this->state(), "moving average state"); }

TemporaryParameters::TemporaryParameters(const NamedTensors& values, const NamedTensors& parameters)
    : parameters_(parameters), own_(clone(parameters)) {
  copy_into(values, parameters, "temporary parameters");
}

TemporaryParameters::~TemporaryParameters() {
  for (size_t k = 0; k < parameters_.size(); ++k) parameters_[k].tensor.copy_from(own_[k].tensor);
}

}  // namespace mixtape::optim
