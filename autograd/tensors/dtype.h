#pragma once

#include <cstdint>

namespace mixtape {

/// What a tensor's elements are. Every differentiable op takes f32 and f64; i32 holds indices and lengths (never
/// differentiated); bf16 holds operands of mixed-precision products. Ops do not mix dtypes: they throw.
enum class DType : uint8_t { f32, f64, i32, bf16 };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType i32 = DType::i32;
inline constexpr DType bf16 = DType::bf16;

/// Bytes of one element.
constexpr int64_t size_of(DType dtype) {
  switch (dtype) {
    case f64:
      return 8;
    case bf16:
      return 2;
    default:
      return 4;
  }
}

/// `f32`, `f64`, `i32` or `bf16`.
constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case f32:
      return "f32";
    case f64:
      return "f64";
    case i32:
      return "i32";
    default:
      return "bf16";
  }
}

/// True for f32 and f64, the dtypes that ops differentiate.
constexpr bool is_differentiable(DType dtype) { return dtype == f32 || dtype == f64; }

/// The bits of a bfloat16: the upper half of a float.
struct BFloat16 {
  uint16_t bits;
};

/// dtype_of<float> is f32, and so on.
template <class T>
inline constexpr DType dtype_of = f32;
template <>
inline constexpr DType dtype_of<double> = f64;
template <>
inline constexpr DType dtype_of<int32_t> = i32;
template <>
inline constexpr DType dtype_of<BFloat16> = bf16;

/// Calls f(float{}) or f(double{}) by dtype, so that one generic lambda serves both. The dtype has been checked before.
template <class F>
auto dispatch(DType dtype, F&& f) {
  return dtype == f64 ? f(double{}) : f(float{});
}

}  // namespace mixtape
