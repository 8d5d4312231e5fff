#include "autograd/kernels/gemm/cuts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "autograd/kernels/attention/head.h"
#include "autograd/kernels/gemm/gemm.h"
#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

// Of Transformers (projections, their gradients, logits), of attention, and odd ones.
constexpr int64_t kProducts[][3] = {{1536, 1024, 256}, {1536, 256, 1024}, {1024, 256, 1536}, {1536, 8000, 256},
                                    {4160, 768, 192},  {192, 768, 4160},  {768, 128, 128},   {128, 128, 768},
                                    {256, 192, 64},    {64, 256, 256},    {24, 64, 24},      {65, 64, 65},
                                    {256, 64, 96},     {1, 1, 1},         {1, 5000, 300},    {5000, 1, 300},
                                    {333, 257, 91},    {67, 1031, 513},   {48, 30000, 64},   {20000, 48, 64}};
constexpr int64_t kThreads[] = {1, 2, 3, 4, 8, 64};

// How much longer the tasks take than on threads with equal work, if each thread takes the next task when it is free.
double imbalance(const std::vector<double>& tasks, int64_t threads) {
  std::vector<double> busy(static_cast<size_t>(threads));
  for (double task : tasks) *std::min_element(busy.begin(), busy.end()) += task;
  return *std::max_element(busy.begin(), busy.end()) * static_cast<double>(threads) /
         std::accumulate(tasks.begin(), tasks.end(), 0.0);
}

}  // namespace

TEST_CASE("cuts: tasks cover a product once, give each thread work, and are not too small") {
  struct Registers {
    int64_t vector, mr;  // panels of three vectors
  };
  for (const auto& [m, n, k] : kProducts) {
    for (const auto& [vector, mr] : {Registers{16, 8}, {8, 6}}) {
      for (int64_t threads : kThreads) {
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(mr);
        CAPTURE(threads);
        const int64_t depth = std::min<int64_t>(k, 256), width = 3 * vector, panels = (n + width - 1) / width;
        const TaskGrid grid(m, n, depth, panels, mr, 288 * 256 / depth, 10 * 256 / depth, threads);
        std::vector<int> seen(static_cast<size_t>(panels * m));
        std::vector<double> tasks;
        for (int64_t task = 0; task < grid.count(); ++task) {
          const int64_t rows = std::min(m, grid.row(task) + grid.rows) - grid.row(task);
          const int64_t columns = std::min(panels, grid.panel(task) + grid.panels) - grid.panel(task);
          REQUIRE(rows > 0);
          REQUIRE(columns > 0);
          tasks.push_back(static_cast<double>(rows * std::min(n - grid.panel(task) * width, columns * width)));
          for (int64_t row = grid.row(task); row < grid.row(task) + rows; ++row)
            for (int64_t i = 0; i < columns; ++i) ++seen[static_cast<size_t>(row * panels + grid.panel(task) + i)];
        }
        CHECK(std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; }));
        const double all = gemm_flops(m, n, depth);
        if (all >= 2 * tuning::kTaskFlops * static_cast<double>(threads)) {
          CHECK(grid.count() >= threads);
          CHECK(imbalance(tasks, threads) < 1.5);
        }
        const bool packs = m >= tuning::kSimdMinRows || n * k <= tuning::kSimdSmallB;  // or it takes another path
        const double computed = gemm_flops(m, (n + vector - 1) / vector * vector, depth);
        if (grid.count() > 1 && packs) CHECK(computed / static_cast<double>(grid.count()) > tuning::kTaskFlops / 4);
      }
    }
  }
}

TEST_CASE("cuts: sums that are cut along the inner size give each thread work") {
  for (const auto& [m, n, k] : kProducts) {
    if (!cuts_sums(m, n, k)) continue;
    const int64_t parts = sum_parts_for(m, n, k);
    CHECK(parts > 1);
    CHECK((parts - 1) * m * n <= tuning::kPartialElements);
    for (int64_t threads : kThreads) {
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(threads);
      const int64_t rows = slice_size(m, (threads + parts - 1) / parts), tasks = parts * ((m + rows - 1) / rows);
      if (gemm_flops(m, n, k) >= 2 * tuning::kTaskFlops * static_cast<double>(threads) && m >= 16 * threads)
        CHECK(tasks >= threads);
      if (threads <= parts) CHECK(tasks == parts);
    }
  }
}

TEST_CASE("cuts: blocks of rows give each thread as many, and are not too small") {
  for (const auto& [m, n, k] : kProducts) {
    for (int64_t threads : kThreads) {
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(threads);
      const int64_t rows = by_rows_block(m, n, k, threads);
      CHECK((rows == 0) == (m < 128 || n * k > (1 << 20)));
      if (rows == 0) continue;
      CHECK(rows >= 32);
      const int64_t blocks = (m + rows - 1) / rows;
      if (m >= 64 * threads) CHECK(blocks + blocks / 16 >= threads);  // blocks are multiples of 16 rows
      std::vector<double> tasks;
      for (int64_t row = 0; row < m; row += rows) tasks.push_back(static_cast<double>(std::min(rows, m - row)));
      if (m >= 64 * threads) CHECK(imbalance(tasks, threads) < 1.5);
    }
  }
}

TEST_CASE("cuts: attention gives each thread work") {
  for (const auto& [sequences, length, heads] :
       {std::array<int64_t, 3>{1, 512, 4}, {1, 4096, 4}, {1, 2000, 1}, {64, 24, 4}, {64, 65, 3}, {3, 333, 2}}) {
    std::vector<int32_t> bounds;
    for (int64_t b = 0; b <= sequences; ++b) bounds.push_back(static_cast<int32_t>(b * length));
    AttentionBatch batch;
    batch.sequences = sequences;
    batch.query_bounds = batch.key_bounds = bounds.data();
    batch.heads = heads;
    batch.width = batch.value_width = 64;
    for (int64_t threads : kThreads) {
      CAPTURE(length);
      CAPTURE(threads);
      const int64_t blocks = AttentionHead(batch, 0, 0, 0).query_blocks(),
                    per_task = attention_blocks_per_task(batch, threads),
                    tasks = sequences * heads * ((blocks + per_task - 1) / per_task);
      CHECK(per_task >= 1);
      CHECK(per_task <= attention_tuning::kBlocksPerTask);
      if (sequences * heads * blocks >= threads) CHECK(tasks >= threads);
    }
    batch.reach = 100;
    CHECK(attention_blocks_per_task(batch, 1) == attention_blocks_per_task(batch, 64));
  }
}

TEST_CASE("gemm: Transformers' products have the same bits on any number of threads") {
  const int64_t shapes[][3] = {{384, 256, 64}, {128, 128, 768}, {256, 96, 520}, {300, 1000, 64}, {333, 257, 91}};
  for_each_instruction_set([&] {
    for (const auto& [m, n, k] : shapes) {
      for (int mask = 0; mask < 4; ++mask) {
        for (Precision precision : {Precision::full, Precision::bf16}) {
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(mask);
          const bool ta = (mask & 1) != 0, tb = (mask & 2) != 0;
          const auto a = random_values<float>(m * k, 1), b = random_values<float>(k * n, 2);
          check_same_bits_on_any_threads([&, m = m, n = n, k = k] {
            std::vector<float> c(static_cast<size_t>(m * n));
            gemm(m, n, k, 1, Operand<float>{a.data(), ta ? m : k, ta}, {b.data(), tb ? k : n, tb}, 0, c.data(), n,
                 nullptr, precision);
            return c;
          });
        }
      }
    }
  });
}
