#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "autograd/named_tensors.h"
#include "autograd/scope.h"
#include "autograd/tape.h"
#include "autograd/tensor.h"

namespace mixtape::nn {

/// What a hook on a layer may do with the layer's output: look at it, or return a tensor of the same shape that takes
/// its place.
using ForwardHook = std::function<Tensor(const Tensor& output)>;

/// What every layer has, whatever its type: a place in its model and hooks. Written by users only through Layer<Self>.
class LayerBase {
 public:
  LayerBase(const LayerBase& other) : name_children_(other.name_children_), hooks_(other.hooks_) {}
  LayerBase& operator=(const LayerBase&) { return *this; }  // NOLINT(bugprone-unhandled-self-assignment)

  /// Calls `hook` after each forward that gives a tensor, until the returned Hook is removed or destroyed.
  Hook on_forward(ForwardHook hook) const;

 protected:
  using NameChildren = void (*)(const LayerBase&);
  explicit LayerBase(NameChildren name_children) : name_children_(name_children) {}

  /// The layer is running: its path is the current one until this is destroyed.
  class Running {
   public:
    explicit Running(const LayerBase& layer);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    const LayerBase* outer_;
    Scope scope_;
  };

  /// True within a call of this very layer, not of a sub-layer.
  bool is_running() const;
  static void before_forward();
  Tensor after_forward(const std::type_info& type, Tensor output) const;

 private:
  friend struct Namer;
  const Path* path() const;
  void name_members() const;

  NameChildren name_children_;
  mutable bool members_named_ = false;
  mutable std::string name_;  // within the parent; given by the parent's visit when it is first called
  mutable const Path* outer_path_ = nullptr;
  mutable const Path* path_ = nullptr;
  mutable std::shared_ptr<std::vector<std::weak_ptr<ForwardHook>>> hooks_;
};

/// Base of a layer `Self`: a struct with its parameters and sub-layers as members, a `forward`, and one `visit` that
/// lists the members:
///
///     struct Linear : Layer<Linear> {
///       Tensor weight, bias;
///       Tensor forward(const Tensor& x) const { return linear(x, weight, bias); }
///       void visit(auto&& each) const { each("weight", weight); each("bias", bias); }
///     };
///
/// `each` takes tensors (undefined ones are passed over), layers, vectors of layers (`layer.0`), and optional ones.
/// From that list come the names of parameters, saving, counting, conversion and summaries. Calling a layer runs
/// `forward` with the layer's path in scope, so that errors, tape lines and hooks know where they are. Copies share
/// their tensors.
template <class Self>
struct Layer : LayerBase {
  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return inside([&] { return static_cast<const Self&>(*this).forward(std::forward<Arguments>(arguments)...); });
  }

 protected:
  Layer();

  /// Runs f, another way to call the layer than forward, as the layer: with its path in scope, and its hooks if it
  /// gives a tensor. Just f() if the layer is running already: forward may be made of such parts.
  template <class F>
  auto inside(const F& f) const {
    if (is_running()) return f();
    const Running running(*this);
    if constexpr (std::is_same_v<decltype(f()), Tensor>) {
      before_forward();
      return after_forward(typeid(Self), f());
    } else {
      return f();
    }
  }
};

/// Calls f(prefix + name, member) for each tensor and layer that `layer` lists, with vectors and optionals taken apart.
/// Not recursive.
template <class Self, class F>
void for_each_member(const Layer<Self>& layer, const F& f);

/// Names what a layer lists, and what its sub-layers list: a tensor that stands at two places is named at the first.
struct Namer {
  void operator()(const std::string& name, const LayerBase& child) const;
  void operator()(const std::string& name, const Tensor& tensor) const;
};

namespace detail {

template <class F>
struct Each {
  const F& f;

  void operator()(const char* name, const Tensor& tensor) const {
    if (tensor) f(std::string(name), tensor);
  }
  template <class Child>
    requires std::is_base_of_v<LayerBase, Child>
  void operator()(const char* name, const Child& child) const {
    f(std::string(name), child);
  }
  template <class Child>
  void operator()(const char* name, const std::optional<Child>& child) const {
    if (child) (*this)(name, *child);
  }
  template <class Child>
  void operator()(const char* name, const std::vector<Child>& children) const {
    for (size_t i = 0; i < children.size(); ++i) f(name + ("." + std::to_string(i)), children[i]);
  }
};

template <class Self>
void collect(const Layer<Self>& layer, const std::string& prefix, NamedTensors& all) {
  for_each_member(layer, [&]<class Member>(const std::string& name, const Member& member) {
    if constexpr (std::is_same_v<Member, Tensor>) {
      all.push_back({prefix + name, member});
    } else {
      collect(member, prefix + name + ".", all);
    }
  });
}

}  // namespace detail

template <class Self, class F>
void for_each_member(const Layer<Self>& layer, const F& f) {
  static_cast<const Self&>(layer).visit(detail::Each<F>{f});
}

template <class Self>
Layer<Self>::Layer()
    : LayerBase([](const LayerBase& base) { for_each_member(static_cast<const Layer<Self>&>(base), Namer{}); }) {}

/// All tensors of a model, parameters and buffers, by dotted name in the order of visit. A tensor that stands at two
/// places (tied embeddings) is listed once, under the first.
NamedTensors unique_tensors(const NamedTensors& all);
template <class Self>
NamedTensors named_tensors(const Layer<Self>& model) {
  NamedTensors all;
  detail::collect(model, "", all);
  return unique_tensors(all);
}

/// Those of named_tensors that are trained: what an optimizer takes.
NamedTensors only_parameters(const NamedTensors& all);
template <class Self>
NamedTensors parameters(const Layer<Self>& model) {
  return only_parameters(named_tensors(model));
}

/// Number of trained numbers.
template <class Self>
int64_t count_parameters(const Layer<Self>& model) {
  return count_elements(parameters(model));
}

/// Converts all parameters and buffers to f32 or f64, in place. Gradients are dropped.
void convert(const NamedTensors& all, DType dtype);
template <class Self>
void to(const Layer<Self>& model, DType dtype) {
  convert(named_tensors(model), dtype);
}

/// Sees every layer that gives a tensor on this thread while it exists: `entered` when it starts, `left` with its path,
/// type and output when it is done. Either may be left out.
class ForwardObserver {
 public:
  using Entered = std::function<void()>;
  using Left = std::function<void(const std::string& path, const std::string& type, const Tensor& output)>;
  ForwardObserver(Entered entered, Left left);
  ~ForwardObserver();
  ForwardObserver(const ForwardObserver&) = delete;
  ForwardObserver& operator=(const ForwardObserver&) = delete;

 private:
  friend class LayerBase;
  Entered entered_;
  Left left_;
  ForwardObserver* outer_;
};

}  // namespace mixtape::nn
