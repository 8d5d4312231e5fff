#include "autograd/kernels/gemm/panel_gemm.h"

#include <algorithm>
#include <atomic>

#include "autograd/kernels/gemm/cuts.h"
#include "autograd/kernels/gemm/tuning.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {
namespace {

using Product = GemmArguments<float>;

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// A in panels of MR rows, or B in panels of NR columns.
struct Side {
  const MicroKernel& kernel;
  Operand<float> x;
  int64_t size;  // rows of A, columns of B
  bool is_a;

  int64_t width() const { return is_a ? kernel.mr : kernel.nr; }
  int64_t panels() const { return (size + width() - 1) / width(); }
  // 16-bit numbers in a panel.
  int64_t panel_size(int64_t depth) const { return width() * round_up(depth, kernel.k_multiple) * kernel.terms; }
  int64_t panels_in_l2(int64_t depth) const {
    const int64_t bytes = panel_size(depth) * static_cast<int64_t>(sizeof(uint16_t));
    return std::max<int64_t>(1, tuning::kPanelsInL2Bytes / bytes);
  }

  // Panels [first, last) of the inner sizes [from, from + depth). False if panels cannot represent them.
  bool pack(int64_t first, int64_t last, int64_t from, int64_t depth, uint16_t* to) const {
    const bool transposed = is_a ? x.transposed : !x.transposed;
    const int64_t row = first * width(), rows = std::min(last * width(), size) - row;
    const float* data = transposed ? x.data + from * x.stride + row : x.data + row * x.stride + from;
    const PanelSource source{data, x.stride, transposed, rows, depth};
    return x.map ? pack_mapped(source, to) : pack_source(source, to);
  }

 private:
  bool pack_source(const PanelSource& source, uint16_t* to) const {
    return (is_a ? kernel.pack_a : kernel.pack_b)(source, to);
  }
  // Panel by panel through a workspace in the cache, where the function is applied.
  bool pack_mapped(PanelSource source, uint16_t* to) const {
    float* mapped = workspace<float>(Workspace::mapped_panel, width() * source.depth);
    bool representable = true;
    for (int64_t left = source.rows; left > 0 && representable; left -= width()) {
      const int64_t rows = std::min(left, width());
      const int64_t height = source.transposed ? source.depth : rows, length = source.transposed ? rows : source.depth;
      unary_rows(*x.map, source.data, source.stride, mapped, height, length);
      representable = pack_source({mapped, length, source.transposed, rows, source.depth}, to);
      source.data += width() * (source.transposed ? 1 : source.stride);
      to += panel_size(source.depth);
    }
    return representable;
  }
};

// All panels of A times all of B, along the rows of C so that its lines are written one after the other; in blocks of
// columns whose panels of B stay in the L2 cache.
void multiply_all(const MicroKernel& kernel, const Product& p, const uint16_t* a, int64_t a_depth, const uint16_t* b,
                  int64_t b_depth) {
  const auto multiply = [&](int64_t row, int64_t column) {
    kernel.multiply({.a = a + row * a_depth * kernel.terms,
                     .b = b + column * b_depth * kernel.terms,
                     .depth = round_up(p.k, kernel.k_multiple),
                     .a_depth = a_depth,
                     .b_depth = b_depth,
                     .alpha = p.alpha,
                     .beta = p.beta,
                     .bias = p.bias ? p.bias + column : nullptr,
                     .c = p.c + row * p.c_stride + column,
                     .c_stride = p.c_stride,
                     .rows = std::min(kernel.mr, p.m - row),
                     .columns = std::min(kernel.nr, p.n - column)});
  };
  const int64_t width = Side{kernel, {}, p.n, false}.panels_in_l2(b_depth) * kernel.nr;
  kernel.begin();
  for (int64_t first = 0; first < p.n; first += width)
    for (int64_t row = 0; row < p.m; row += kernel.mr)
      for (int64_t column = first; column < std::min(p.n, first + width); column += kernel.nr) multiply(row, column);
  kernel.end();
}

// Packs all panels of the inner sizes [start, end), KC block after KC block. False if panels cannot represent them.
bool pack_blocks(const Side& side, int64_t start, int64_t end, int64_t kc, uint16_t* to) {
  const int64_t panels = side.panels(), blocks = (end - start + kc - 1) / kc;
  std::atomic<bool> representable = true;
  parallel_for(blocks * panels,
               grain_for(side.panel_size(std::min(kc, end - start)) / side.kernel.terms, tuning::kPackElements),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) {
                   const int64_t block = i / panels, panel = i % panels, from = start + block * kc;
                   const int64_t depth = std::min(kc, end - from);
                   uint16_t* at = to + block * panels * side.panel_size(kc) + panel * side.panel_size(depth);
                   if (!side.pack(panel, panel + 1, from, depth, at)) representable = false;
                 }
               });
  return representable;
}

struct PackedBlocks {
  const uint16_t* data;
  bool representable;
};

}  // namespace

void panel_gemm(const MicroKernel& kernel, const Product& p) noexcept {
  const Side a{kernel, p.a, p.m, true}, b{kernel, p.b, p.n, false};
  const bool a_is_shared = p.m < p.n;
  const Side &shared = a_is_shared ? a : b, &local = a_is_shared ? b : a;
  const int64_t all = (p.k + kernel.kc - 1) / kernel.kc;
  const int64_t kc = round_up((p.k + all - 1) / all, kernel.k_multiple);
  const int64_t block_size = shared.panels() * shared.panel_size(kc);
  const int64_t blocks = std::clamp<int64_t>(tuning::kSharedNumbers / block_size, 1, all);
  for (int64_t start = 0; start < p.k; start += blocks * kc) {
    const int64_t end = std::min(p.k, start + blocks * kc);
    const auto pack = [&] {
      uint16_t* to = workspace<uint16_t>(Workspace::packed_shared, blocks * block_size);
      return PackedBlocks{to, pack_blocks(shared, start, end, kc, to)};
    };
    const int64_t shared_elements = shared.panels() * shared.panel_size(end - start) / kernel.terms;
    const PreparedForLoop<PackedBlocks> prepared(packs_per_thread(shared_elements, threads()), pack);
    const int64_t tasks = tasks_for(gemm_flops(p.m, p.n, end - start), threads());
    const int64_t grain = std::clamp<int64_t>((local.panels() + tasks - 1) / tasks, 1, local.panels_in_l2(kc));
    parallel_for(local.panels(), grain, [&](int64_t first, int64_t last) {
      const int64_t at = first * local.width(), size = (last - first) * local.width();
      uint16_t* own = workspace<uint16_t>(Workspace::packed_local, (last - first) * local.panel_size(kc));
      const PackedBlocks& packed = prepared.get(pack);
      for (int64_t from = start; from < end; from += kc) {
        const int64_t depth = std::min(kc, end - from), padded = round_up(depth, kernel.k_multiple);
        const Product part = (a_is_shared ? p.block(0, p.m, at, size) : p.block(at, size, 0, p.n)).inner(from, depth);
        const uint16_t* block = packed.data + (from - start) / kc * block_size;
        if (packed.representable && local.pack(first, last, from, depth, own)) {
          multiply_all(kernel, part, a_is_shared ? block : own, padded, a_is_shared ? own : block, padded);
        } else {
          kernel.multiply_unpacked(part);
        }
      }
    });
  }
}

int64_t packed_panels_size(const MicroKernel& kernel, int64_t n, int64_t k) noexcept {
  const Side b{kernel, {}, n, false};
  return b.panels() * b.panel_size(k);
}

bool pack_panels(const MicroKernel& kernel, int64_t n, int64_t k, Operand<float> b, uint16_t* to) noexcept {
  const Side side{kernel, b, n, false};
  return pack_blocks(side, 0, k, kernel.kc, to);
}

void multiply_panels(const PackedPanels& packed, const Product& p) noexcept {
  const MicroKernel& kernel = *packed.kernel;
  const Side a{kernel, p.a, p.m, true}, b{kernel, {}, packed.n, false};
  uint16_t* own = workspace<uint16_t>(Workspace::packed_local, a.panels() * a.panel_size(std::min(p.k, kernel.kc)));
  for (int64_t from = 0; from < p.k; from += kernel.kc) {
    const int64_t depth = std::min(kernel.kc, p.k - from), b_depth = std::min(kernel.kc, packed.k - from);
    const Product part = p.inner(from, depth);
    if (a.pack(0, a.panels(), from, depth, own)) {
      multiply_all(kernel, part, own, round_up(depth, kernel.k_multiple), packed.data + b.panels() * b.panel_size(from),
                   round_up(b_depth, kernel.k_multiple));
    } else {
      kernel.multiply_unpacked(part);
    }
  }
}

}  // namespace mixtape::kernels
