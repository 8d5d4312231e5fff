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

#include "autograd/files/named_tensors.h"
#include "autograd/tape/scope.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/tensor.h"

namespace mixtape::nn {

/// A hook on a layer: sees the layer's output, and may return a tensor of the same shape and dtype to replace it, or an
/// undefined one to leave it.
using ForwardHook = std::function<Tensor(const Tensor& output)>;

class LayerBase;

/// The `each` of a layer's visit: receives each tensor and each sub-layer that the layer lists.
class Members {
 public:
  using OnTensor = std::function<void(const std::string& name, const Tensor& tensor)>;
  using OnLayer = std::function<void(const std::string& name, const LayerBase& child)>;
  Members(OnTensor tensor, OnLayer layer) : tensor_(std::move(tensor)), layer_(std::move(layer)) {}

  void operator()(const std::string& name, const Tensor& tensor) const {
    if (tensor) tensor_(name, tensor);
  }
  void operator()(const std::string& name, const LayerBase& child) const { layer_(name, child); }
  template <class Child>
  void operator()(const std::string& name, const std::optional<Child>& child) const {
    if (child) (*this)(name, *child);
  }
  template <class Child>
  void operator()(const std::string& name, const std::vector<Child>& children) const {
    for (size_t i = 0; i < children.size(); ++i) (*this)(name + "." + std::to_string(i), children[i]);
  }

 private:
  OnTensor tensor_;
  OnLayer layer_;
};

/// The part of a layer that does not depend on its type: its path in the model, and hooks. Derive from Layer<Self>.
class LayerBase {
 public:
  LayerBase(const LayerBase& other) : visit_(other.visit_), hooks_(other.hooks_) {}
  LayerBase& operator=(const LayerBase&) { return *this; }  // NOLINT(bugprone-unhandled-self-assignment)

  /// Calls `hook` after each forward that returns a tensor, until the returned Hook is removed or destroyed.
  Hook on_forward(ForwardHook hook) const;

  /// Calls `each` for what the layer lists. Not recursive.
  void visit_members(const Members& each) const { visit_(*this, each); }

 protected:
  using Visit = void (*)(const LayerBase&, const Members&);
  explicit LayerBase(Visit visit) : visit_(visit) {}

  /// While this exists, the layer is running and its path is the current one.
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

  /// True within a call of this layer, but not within one of its sub-layers.
  bool is_running() const;
  static void before_forward();
  Tensor after_forward(const std::type_info& type, Tensor output) const;

 private:
  const Path* path() const;
  void name_members() const;

  Visit visit_;
  mutable bool members_named_ = false;
  mutable std::string name_;  // within the parent, from the parent's visit; set at the first call
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
/// `each` takes tensors (undefined ones are skipped), layers, vectors of layers (`layer.0`), and optional layers.
/// From that list come the names of parameters, saving, counting, conversion and summaries. Calling a layer runs
/// `forward` with the layer's path in scope: errors, tape lines and hooks show it. Copies share their tensors.
template <class Self>
struct Layer : LayerBase {
  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return inside([&] { return static_cast<const Self&>(*this).forward(std::forward<Arguments>(arguments)...); });
  }

 protected:
  Layer();

  /// Runs f as a call of the layer, for member functions other than forward: with its path in scope, and with its hooks
  /// if f returns a tensor. If the layer is running already, this is just f(), so forward may call such functions.
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

template <class Self>
Layer<Self>::Layer()
    : LayerBase([](const LayerBase& layer, const Members& each) { static_cast<const Self&>(layer).visit(each); }) {}

/// All tensors of a model, parameters and buffers, with dotted names, in the order of visit. A tensor with two names
/// (tied embeddings) is listed once, under the first.
NamedTensors named_tensors(const LayerBase& model);

/// The trained tensors among them, for an optimizer.
NamedTensors parameters(const LayerBase& model);

/// The number of trained scalars.
int64_t count_parameters(const LayerBase& model);

/// Converts all parameters and buffers to f32 or f64, in place. Gradients are dropped.
void to(const LayerBase& model, DType dtype);

/// While it exists, observes every layer on this thread that returns a tensor: calls `entered` when the layer starts,
/// and `left` with its path, type and output when it ends. Either may be empty.
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
