#pragma once

#include <cstdint>

/// The tuning numbers of attention. All are measured by `bench attention-long` and `bench step --model gpt-char` of
/// build/tests/bench, two builds in turns.
namespace mixtape::kernels::attention_tuning {

/// A block of scores, [96, 256] in f32: 96 KB of the L2 cache, beside packed keys and values of 64 KB each at width 64.
/// 256 keys are also one KC block of the product with the values.
constexpr int64_t kQueryBlock = 96, kKeyBlock = 256;
/// Blocks of queries that use a block of packed keys, one after the other: they are one task. With fewer, packing
/// takes more than an eighth as long as the products.
constexpr int64_t kBlocksPerTask = 8;
/// Forward tasks for each thread at least, if there are as many blocks.
constexpr int64_t kTasksPerThread = 2;
/// Keys are multiplied by the scale instead of scores if there are so many queries.
constexpr int64_t kQueriesToScaleKeys = 8;
/// Multiply-adds of a task at least: 1 us, as most sequences in a batch are short.
constexpr int64_t kTaskProducts = 1 << 15;

}  // namespace mixtape::kernels::attention_tuning
