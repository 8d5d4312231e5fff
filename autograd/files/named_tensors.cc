#include "autograd/files/named_tensors.h"

#include <fmt/format.h>

#include <map>

#include "autograd/tensors/error.h"

namespace mixtape {
namespace {

constexpr size_t kListed = 20;  // differences that a message names

std::string difference(const NamedTensors& from, const NamedTensors& to) {
  std::map<std::string, const Tensor*> given;
  for (const NamedTensor& x : from) given[x.name] = &x.tensor;
  std::vector<std::string> lines;
  for (const NamedTensor& x : to) {
    const auto found = given.find(x.name);
    if (found == given.end()) {
      lines.push_back(fmt::format("missing {} {}", x.name, to_string(x.tensor.shape())));
    } else {
      if (!(found->second->shape() == x.tensor.shape())) {
        lines.push_back(fmt::format("{} is {}, expected {}", x.name, to_string(found->second->shape()),
                                    to_string(x.tensor.shape())));
      } else if ((found->second->dtype() == i32) != (x.tensor.dtype() == i32)) {
        lines.push_back(
            fmt::format("{} is {}, expected {}", x.name, name_of(found->second->dtype()), name_of(x.tensor.dtype())));
      }
      given.erase(found);
    }
  }
  for (const auto& [name, tensor] : given)
    lines.push_back(fmt::format("unknown {} {}", name, to_string(tensor->shape())));
  const size_t left = lines.size() > kListed ? lines.size() - kListed : 0;
  lines.resize(lines.size() - left);
  if (left > 0) lines.push_back(fmt::format("and {} more", left));
  return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace

Tensor find(const NamedTensors& tensors, std::string_view name) {
  for (const NamedTensor& x : tensors)
    if (x.name == name) return x.tensor;
  return {};
}

int64_t count_elements(const NamedTensors& tensors) {
  int64_t count = 0;
  for (const NamedTensor& x : tensors) count += x.tensor.elements();
  return count;
}

NamedTensors clone(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const NamedTensor& x : tensors) copies.push_back({x.name, x.tensor.clone()});
  return copies;
}

void copy_into(const NamedTensors& from, const NamedTensors& to, const std::string& what) {
  const std::string differs = difference(from, to);
  if (!differs.empty()) fail(fmt::format("{}: does not fit: {}", what, differs));
  for (const NamedTensor& x : to) x.tensor.copy_from(find(from, x.name));
}

bool matches(std::string_view name, std::string_view pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (size_t i = star; i <= name.size(); ++i)
    if (matches(name.substr(i), rest)) return true;
  return false;
}

}  // namespace mixtape
