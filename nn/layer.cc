#include "nn/layer.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>

#include "autograd/tensors/error.h"

namespace mixtape::nn {
namespace {

thread_local const LayerBase* running_layer = nullptr;
thread_local ForwardObserver* observer = nullptr;

// `FeedForward` of `mixtape::nn::FeedForward`.
std::string short_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  const std::string full = status == 0 ? text.get() : type.name();
  const size_t colon = full.rfind("::");
  return colon == std::string::npos ? full : full.substr(colon + 2);
}

// The one copy of this text, which is never freed.
const char* interned(const std::string& text) {
  static std::mutex mutex;
  static auto& texts = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  return texts.insert(text).first->c_str();
}

}  // namespace

Hook LayerBase::on_forward(ForwardHook hook) const {
  if (!hooks_) hooks_ = std::make_shared<std::vector<std::weak_ptr<ForwardHook>>>();
  auto owner = std::make_shared<ForwardHook>(std::move(hook));
  std::erase_if(*hooks_, [](const auto& old) { return old.expired(); });
  hooks_->push_back(owner);
  return Hook(owner);
}

// Names the members of the layer and, recursively, of its sub-layers. A tensor with two names gets the first.
void LayerBase::name_members() const {
  members_named_ = true;
  const auto name_tensor = [](const std::string& name, const Tensor& tensor) {
    if (!tensor.body().name) tensor.body().name = interned(name);
  };
  visit_members(Members(name_tensor, [](const std::string& name, const LayerBase& child) {
    child.name_ = name;
    if (!child.members_named_) child.name_members();
  }));
}

// A running layer names its children when one without a name is called. A layer called outside any other is the root.
const Path* LayerBase::path() const {
  if (!members_named_) name_members();
  if (name_.empty() && running_layer) running_layer->name_members();
  const Path* outer = current_path();
  if (name_.empty()) return outer;
  if (!path_ || outer_path_ != outer) path_ = path_below(outer, name_);
  outer_path_ = outer;
  return path_;
}

LayerBase::Running::Running(const LayerBase& layer) : outer_(running_layer), scope_(layer.path()) {
  running_layer = &layer;
}
LayerBase::Running::~Running() { running_layer = outer_; }

bool LayerBase::is_running() const { return running_layer == this; }

void LayerBase::before_forward() {
  for (const ForwardObserver* each = observer; each; each = each->outer_)
    if (each->entered_) each->entered_();
}

Tensor LayerBase::after_forward(const std::type_info& type, Tensor output) const {
  if (hooks_) {
    const auto hooks = *hooks_;  // a hook may add or remove hooks
    for (const auto& weak : hooks) {
      const auto hook = weak.lock();
      if (!hook) continue;
      const Tensor replaced = (*hook)(output);
      if (!replaced) continue;
      if (!(replaced.shape() == output.shape()) || replaced.dtype() != output.dtype()) {
        fail(fmt::format("hook: it returned {} {} for an output of {} {}", name_of(replaced.dtype()),
                         to_string(replaced.shape()), name_of(output.dtype()), to_string(output.shape())));
      }
      output = replaced;
    }
  }
  for (const ForwardObserver* each = observer; each; each = each->outer_)
    if (each->left_) each->left_(to_string(current_path()), short_name(type), output);
  return output;
}

ForwardObserver::ForwardObserver(Entered entered, Left left)
    : entered_(std::move(entered)), left_(std::move(left)), outer_(observer) {
  observer = this;
}
ForwardObserver::~ForwardObserver() { observer = outer_; }

NamedTensors named_tensors(const LayerBase& model) {
  NamedTensors all;
  std::set<const detail::Body*> seen;
  const std::function<void(const LayerBase&, const std::string&)> collect = [&](const LayerBase& layer,
                                                                                const std::string& prefix) {
    const auto add = [&](const std::string& name, const Tensor& tensor) {
      if (seen.insert(&tensor.body()).second) all.push_back({prefix + name, tensor});
    };
    layer.visit_members(
        Members(add, [&](const std::string& name, const LayerBase& child) { collect(child, prefix + name + "."); }));
  };
  collect(model, "");
  return all;
}

NamedTensors parameters(const LayerBase& model) {
  NamedTensors result = named_tensors(model);
  std::erase_if(result, [](const NamedTensor& x) { return !x.tensor.is_parameter(); });
  return result;
}

int64_t count_parameters(const LayerBase& model) { return count_elements(parameters(model)); }

void to(const LayerBase& model, DType dtype) {
  if (!is_differentiable(dtype)) fail(fmt::format("to: {}, expected f32 or f64", name_of(dtype)));
  for (const NamedTensor& x : named_tensors(model))
    if (is_differentiable(x.tensor.dtype())) x.tensor.assign(x.tensor.to(dtype));
}

}  // namespace mixtape::nn
