#include "autograd/kernels/gemm/panel_gemm.h"

#include <algorithm>
#include <atomic>

#include "autograd/kernels/parallel.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {
namespace {

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// The rows of A, or the columns of B, as panels.
struct Side {
  const PanelKernels& kernels;
  Operand<float> x;
  int64_t size;  // how many rows, or columns
  bool is_a;

  int64_t width() const { return is_a ? kernels.rows : kernels.columns; }
  int64_t panels() const { return (size + width() - 1) / width(); }
  int64_t elements(int64_t depth) const { return width() * round_up(depth, kernels.depth_multiple) * kernels.pieces; }
  // False if panels cannot hold what is there.
  bool pack(int64_t first, int64_t last, int64_t from, int64_t depth, uint16_t* to) const {
    const bool across = is_a ? x.transposed : !x.transposed;
    const int64_t row = first * width(), rows = std::min(last * width(), size) - row;
    const float* data = across ? x.data + from * x.stride + row : x.data + row * x.stride + from;
    const PanelSource source{data, x.stride, across, rows, depth};
    return x.map ? pack_mapped(source, to) : pack_source(source, to);
  }
  bool pack_source(const PanelSource& source, uint16_t* to) const {
    return (is_a ? kernels.pack_a : kernels.pack_b)(source, to);
  }
  // The same by way of a room in the cache, panel by panel.
  bool pack_mapped(PanelSource source, uint16_t* to) const {
    float* room = aligned_scratch<float>(Room::mapped_panel, width() * source.depth);
    bool good = true;
    for (int64_t left = source.rows; left > 0 && good; left -= width()) {
      const int64_t rows = std::min(left, width());
      const int64_t height = source.across ? source.depth : rows, length = source.across ? rows : source.depth;
      unary_rows(*x.map, source.data, source.stride, room, height, length);
      good = pack_source({room, length, source.across, rows, source.depth}, to);
      source.data += width() * (source.across ? 1 : source.stride);
      to += elements(source.depth);
    }
    return good;
  }
};

// A product's rows [row, row + rows) and columns likewise, with the inner sizes [from, from + depth) only.
GemmCall part_of(const GemmCall& p, int64_t row, int64_t rows, int64_t column, int64_t columns, int64_t from,
                 int64_t depth) {
  return {.m = std::min(rows, p.m - row),
          .n = std::min(columns, p.n - column),
          .k = depth,
          .alpha = p.alpha,
          .a = columns_from(rows_from(p.a, row), from),
          .b = rows_from(columns_from(p.b, column), from),
          .beta = from == 0 ? p.beta : 1,
          .c = p.c + row * p.c_stride + column,
          .c_stride = p.c_stride,
          .bias = p.bias && from == 0 ? p.bias + column : nullptr};
}

// How many panels of some depth stay in the second cache beside others that pass by.
int64_t kept_panels(const Side& side, int64_t depth) {
  constexpr int64_t kBytes = 512 << 10;
  return std::max<int64_t>(1, kBytes / (side.elements(depth) * static_cast<int64_t>(sizeof(uint16_t))));
}

// All of a product from panels, along the rows of C: its lines are written one after the other.
void multiply_all(const PanelKernels& kernels, const GemmCall& p, const uint16_t* a, int64_t a_depth, const uint16_t* b,
                  int64_t b_depth) {
  const auto multiply = [&](int64_t row, int64_t column) {
    kernels.multiply({.a = a + row * a_depth * kernels.pieces,
                      .b = b + column * b_depth * kernels.pieces,
                      .depth = round_up(p.k, kernels.depth_multiple),
                      .a_depth = a_depth,
                      .b_depth = b_depth,
                      .alpha = p.alpha,
                      .beta = p.beta,
                      .bias = p.bias ? p.bias + column : nullptr,
                      .c = p.c + row * p.c_stride + column,
                      .c_stride = p.c_stride,
                      .rows = std::min(kernels.rows, p.m - row),
                      .columns = std::min(kernels.columns, p.n - column)});
  };
  const int64_t width = kept_panels({kernels, {}, p.n, false}, b_depth) * kernels.columns;
  kernels.begin();
  for (int64_t first = 0; first < p.n; first += width)
    for (int64_t row = 0; row < p.m; row += kernels.rows)
      for (int64_t column = first; column < std::min(p.n, first + width); column += kernels.columns)
        multiply(row, column);
  kernels.end();
}

// All panels of the inner sizes [start, end) in slabs of `most`, a multiple of depth_multiple, one slab after the
// other. False if panels cannot hold what is there.
bool pack_slabs(const Side& side, int64_t start, int64_t end, int64_t most, uint16_t* room) {
  const int64_t panels = side.panels(), slabs = (end - start + most - 1) / most;
  std::atomic<bool> good = true;
  parallel_for(slabs * panels, grain_for(side.elements(std::min(most, end - start)), 1 << 15),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) {
                   const int64_t slab = i / panels, panel = i % panels, from = start + slab * most;
                   const int64_t depth = std::min(most, end - from);
                   uint16_t* to = room + slab * panels * side.elements(most) + panel * side.elements(depth);
                   if (!side.pack(panel, panel + 1, from, depth, to)) good = false;
                 }
               });
  return good;
}

// What pack_slabs gave, and where.
struct Packed {
  const uint16_t* slabs;
  bool good;
};

// How many panels of its own a task takes.
int64_t own_panels(const Side& own, const GemmCall& p, int64_t inner, int64_t depth) {
  const double flops = flops_of(p.m, p.n, inner);
  const int64_t tasks = flops < 4e6 ? 1 : flops < 1.6e7 ? 2 : flops < 6e7 ? 4 : flops < 3e8 ? 8 : 16;
  return std::clamp<int64_t>((own.panels() + tasks - 1) / tasks, 1, kept_panels(own, depth));
}

}  // namespace

void panel_gemm(const PanelKernels& kernels, const GemmCall& p) noexcept {
  constexpr int64_t kSharedElements = 1 << 18;  // what is packed before there is a wait for all threads
  const Side a{kernels, p.a, p.m, true}, b{kernels, p.b, p.n, false};
  const bool a_is_shared = p.m < p.n;
  const Side &shared = a_is_shared ? a : b, &own = a_is_shared ? b : a;
  const int64_t all = (p.k + kernels.depth - 1) / kernels.depth;
  const int64_t most = round_up((p.k + all - 1) / all, kernels.depth_multiple);
  const int64_t slab_size = shared.panels() * shared.elements(most);
  const int64_t slabs = std::clamp<int64_t>(kSharedElements / slab_size, 1, all);
  for (int64_t start = 0; start < p.k; start += slabs * most) {
    const int64_t end = std::min(p.k, start + slabs * most);
    const bool few = each_for_itself(shared.panels() * shared.elements(end - start) / kernels.pieces);
    const auto pack = [&] {
      uint16_t* room = aligned_scratch<uint16_t>(Room::shared_panels, slabs * slab_size);
      return Packed{room, pack_slabs(shared, start, end, most, room)};
    };
    const Prepared<Packed> prepared(few, pack);
    parallel_for(own.panels(), own_panels(own, p, end - start, most), [&](int64_t first, int64_t last) {
      const int64_t at = first * own.width(), size = (last - first) * own.width();
      uint16_t* own_room = aligned_scratch<uint16_t>(Room::own_panels, (last - first) * own.elements(most));
      const Packed& packed = prepared.get(pack);
      for (int64_t from = start; from < end; from += most) {
        const int64_t depth = std::min(most, end - from), filled = round_up(depth, kernels.depth_multiple);
        const GemmCall part =
            a_is_shared ? part_of(p, 0, p.m, at, size, from, depth) : part_of(p, at, size, 0, p.n, from, depth);
        const uint16_t* slab = packed.slabs + (from - start) / most * slab_size;
        if (packed.good && own.pack(first, last, from, depth, own_room)) {
          multiply_all(kernels, part, a_is_shared ? slab : own_room, filled, a_is_shared ? own_room : slab, filled);
        } else {
          kernels.multiply_plainly(part);
        }
      }
    });
  }
}

int64_t panels_size(const PanelKernels& kernels, int64_t n, int64_t k) noexcept {
  const Side b{kernels, {}, n, false};
  return b.panels() * b.elements(k);
}

bool pack_panels(const PanelKernels& kernels, int64_t n, int64_t k, Operand<float> b, uint16_t* room) noexcept {
  const Side side{kernels, b, n, false};
  return pack_slabs(side, 0, k, kernels.depth, room);
}

void multiply_panels(const Panels& panels, const GemmCall& p) noexcept {
  const PanelKernels& kernels = *panels.kernels;
  const Side a{kernels, p.a, p.m, true}, b{kernels, {}, panels.n, false};
  uint16_t* room = aligned_scratch<uint16_t>(Room::own_panels, a.panels() * a.elements(std::min(p.k, kernels.depth)));
  for (int64_t from = 0; from < p.k; from += kernels.depth) {
    const int64_t depth = std::min(kernels.depth, p.k - from), b_depth = std::min(kernels.depth, panels.k - from);
    const GemmCall part = part_of(p, 0, p.m, 0, p.n, from, depth);
    if (a.pack(0, a.panels(), from, depth, room)) {
      multiply_all(kernels, part, room, round_up(depth, kernels.depth_multiple),
                   panels.data + b.panels() * b.elements(from), round_up(b_depth, kernels.depth_multiple));
    } else {
      kernels.multiply_plainly(part);
    }
  }
}

}  // namespace mixtape::kernels
