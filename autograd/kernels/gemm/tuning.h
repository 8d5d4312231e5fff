#pragma once

#include <cstdint>

/// The tuning numbers of matrix products: what each stands for, and what measures it (`bench` is build/tests/bench; run
/// two builds in turns). MR and NR follow from the registers of an instruction set and stand beside the micro-kernels;
/// cuts.h makes cuts from the numbers at the end.
namespace mixtape::kernels::tuning {

// Blocks in caches.

/// KC: the inner sizes between two visits of an element of C. f32: 24 rows of A take 24 KB of the L1 cache while panels
/// of B of 32 or 48 KB pass by from the L2 cache; longer sums in tiles are less exact. bfloat16: a panel of A and one
/// of B take 128 KB of the L2 cache.   bench op --op matmul-1024 --threads 1;  bench step --model vit --dtype bf16
constexpr int64_t kF32Kc = 256, kBf16Kc = 1024;
/// Bytes of panels that stay in the L2 cache while others pass by: a quarter of 2 MB.   bench step --model translator
constexpr int64_t kPanelsInL2Bytes = 512 << 10;
/// 16-bit numbers of the shared operand that are packed before all threads wait: 0.5 MB.   bench step --model gpt-char
constexpr int64_t kSharedNumbers = 1 << 18;
/// Bytes of a SIMD task's rows of A and panels of B: both stay in an L2 cache of 1 MB. Half of that without AVX-512,
/// where it has 512 KB.   bench op --op matmul-1024
constexpr int64_t kTaskABytes = 288 << 10, kTaskBBytes = 512 << 10;

// When packing and prefetching pay.

/// A transposed A is packed if more than so many panels of B pass by.   bench op --op linear
constexpr int64_t kPanelsToPackA = 4;
/// The depth from which there is time to prefetch.   bench step --model vit
constexpr int64_t kPrefetchDepth = 96;
/// f32 operands are split into bfloat16 terms on AMX if all sizes are at least kSplitSize, and the multiply-adds at
/// least kSplitProducts and kSplitProductsPerElement for each element that is split, which takes as long.
///   bench step --model vit-toy
constexpr int64_t kSplitSize = 32, kSplitProducts = 1 << 18, kSplitProductsPerElement = 48;
/// SIMD products pack B. With fewer than kSimdMinRows rows of A that takes too long, unless B has kSimdSmallB elements
/// or less: 1.2 MB, the L2 cache.   bench op --op linear-1;  bench op --op linear-32
constexpr int64_t kSimdMinRows = 48, kSimdSmallB = 300'000;

// Cuts.

/// Floating point operations of a task at least: 20 us at 100 GFLOP/s; starting it and waiting for it takes 0.5 us.
///   bench op --op matmul-256;  bench step --model vit-toy
constexpr double kTaskFlops = 2e6;
/// Tasks for each thread at most: at the end of a loop threads wait for an eighth of their work or less.
///   bench step --model translator
constexpr int64_t kTasksPerThread = 8;
/// Elements packed by a task at least: 5 to 10 us.   bench step --model gpt-char
constexpr int64_t kPackElements = 1 << 14;
/// An operand of fewer elements, counted over all threads, is packed by each thread instead of by all together: waiting
/// for the others and fetching it from their caches takes longer.   bench step --model gpt-char
constexpr int64_t kPackPerThreadElements = 1 << 17;
/// Floating point operations from which a sum is cut into 2, 4 and 8 parts: each part but the first takes a pass over a
/// matrix like C.   bench step --model gpt-char
constexpr double kTwoPartsFlops = 2e6, kFourPartsFlops = 2e7, kEightPartsFlops = 4e8;
/// Elements of a C whose sums are cut, and of all partial sums, at most: 256 KB and 768 KB.
///   bench step --model gpt-char
constexpr int64_t kSummedElements = 1 << 16, kPartialElements = 3 * kSummedElements;
/// gemm_by_rows takes kByRowsMinM rows of A or more and a B of kByRowsMaxB elements (4 MB) or less. A block has
/// kByRowsElements of C (64 KB, in the L1 and L2 caches), and kByRowsMinRows rows; kByRowsMinM where B has more than
/// kByRowsCachedB elements (1 MB) and is read from beyond the L2 cache each time.   bench step --model vit
constexpr int64_t kByRowsMinM = 128, kByRowsMinRows = 32, kByRowsElements = 1 << 14;
constexpr int64_t kByRowsMaxB = 1 << 20, kByRowsCachedB = 1 << 18;
/// Elements of a block of rows that gemm_unary_grad multiplies where gemm is faster than gemm_by_rows: 2 MB, the L2
/// cache of two cores.   bench step --model vit
constexpr int64_t kSlopeElements = 1 << 19;
/// Multiply-adds of a task of a batched product at least, in f32 or f64 and in bfloat16.   bench step --model vit-toy
constexpr int64_t kBatchProducts = 1 << 19, kBf16BatchProducts = 1 << 21;

}  // namespace mixtape::kernels::tuning
