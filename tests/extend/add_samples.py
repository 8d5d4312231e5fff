"""Adds a sample of each kind to a copy of the tree, as the table in examples/extend/README.md says, and compares what was touched with it.

usage: add_samples.py COPY
"""
import pathlib
import re
import sys

SAMPLES = pathlib.Path(__file__).parent / "samples"
copy = pathlib.Path(sys.argv[1])
touched = {}


def add_file(kind, path, sample):
    target = copy / path
    if target.exists():
        sys.exit(f"{path}: exists already")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text((SAMPLES / sample).read_text())
    touched[kind].add(path)


def mention(kind, path, before, text):
    """Inserts text in front of the first occurrence of `before`."""
    target = copy / path
    old = target.read_text()
    if before not in old:
        sys.exit(f"{path}: no '{before}'")
    target.write_text(old.replace(before, text + before, 1))
    touched[kind].add(path)


def op(kind, name, definition):
    mention(kind, "autograd/ops/functions.cc", "Tensor composed::relu(", definition + "\n")
    mention(kind, "autograd/ops.h", "/// max(x, 0); the slope at 0 is 0.", f"Tensor {name}(const Tensor& x);\n")
    mention(kind, "tests/autograd/gradient_table_elementwise.cc", '      {"relu",',
            f'      {{"{name}", [](In x) {{ return {name}(x[0]); }}, {{normal(s)}}}},\n')
    mention(kind, "tests/autograd/golden_test.cc", "};  // ops without a case", f'"{name}", ')


touched["an op"] = set()
op("an op", "softplus", (SAMPLES / "softplus.cc").read_text())

kind = "an op with a kernel"
touched[kind] = set()
op(kind, "hard_swish", (SAMPLES / "hard_swish_op.cc").read_text())
mention(kind, "autograd/ops/functions.cc", '#include "autograd/ops/internal/common.h"', '#include "autograd/kernels/hard_swish.h"\n')
add_file(kind, "autograd/kernels/hard_swish.h", "hard_swish.h")
add_file(kind, "autograd/kernels/hard_swish.cc", "hard_swish.cc")
mention(kind, "autograd/kernels/meson.build", "'softmax.cc'", "'hard_swish.cc', ")
add_file(kind, "tests/kernels/hard_swish_test.cc", "hard_swish_test.cc")
mention(kind, "tests/kernels/meson.build", "'softmax_test.cc'", "'hard_swish_test.cc', ")

kind = "a layer"
touched[kind] = set()
add_file(kind, "nn/gated_linear.h", "gated_linear.h")
mention(kind, "nn/nn.h", '#include "nn/generate.h"', '#include "nn/gated_linear.h"\n')
mention(kind, "tests/nn/layer_table.cc", '  rows.push_back(row("LayerNorm",',
        '  rows.push_back(row("GatedLinear", join({below("gate", kWeightBias), below("value", kWeightBias)}), '
        '{normal({2, 3}, 2)}, nn::GatedLinear(3, 2, random), unary));\n')
mention(kind, "tests/nn/golden_test.cc", "};  // layers without a case", '"GatedLinear", ')

kind = "an optimizer"
touched[kind] = set()
add_file(kind, "optim/sign_sgd.h", "sign_sgd.h")
add_file(kind, "optim/sign_sgd.cc", "sign_sgd.cc")
mention(kind, "optim/meson.build", "'sgd.cc'", "'sign_sgd.cc', ")
mention(kind, "optim/optim.h", '#include "optim/sgd.h"', '#include "optim/sign_sgd.h"\n')
add_file(kind, "tests/optim/sign_sgd_test.cc", "sign_sgd_test.cc")
mention(kind, "tests/optim/meson.build", "'sgd_test.cc'", "'sign_sgd_test.cc', ")
mention(kind, "tests/optim/golden_test.cc", "};  // optimizers without a case", '"SignSgd", ')

kind = "a data set"
touched[kind] = set()
add_file(kind, "data/copy_task.h", "copy_task.h")
add_file(kind, "data/copy_task.cc", "copy_task.cc")
mention(kind, "data/meson.build", "'ngrams.cc'", "'copy_task.cc', ")
add_file(kind, "tests/data/copy_task_test.cc", "copy_task_test.cc")
mention(kind, "tests/data/meson.build", "'prefetch_test.cc'", "'copy_task_test.cc', ")

kind = "a program"
touched[kind] = set()
add_file(kind, "examples/line_fit/main.cc", "line_fit.cc")
mention(kind, "examples/meson.build", "executable('translator'",
        "executable('line_fit', 'line_fit/main.cc', dependencies: mixtape)\n")

# The table: | to add | write | mention it in |, with NAME and FAMILY for what varies.
table = {}
for line in (copy / "examples/extend/README.md").read_text().splitlines():
    cells = line.split("|")
    if len(cells) == 5 and cells[1].strip() in touched:
        table[cells[1].strip()] = [re.escape(path).replace("NAME", r"\w+").replace("FAMILY", r"\w+")
                                   for path in re.findall(r"`([^`]+)`", cells[2] + cells[3])]
table["an op with a kernel"] += table["an op"]
wrong = 0
for kind, paths in touched.items():
    patterns = table.get(kind, [])
    missing = [path for path in sorted(paths) if not any(re.fullmatch(p, path) for p in patterns)]
    unused = [p for p in patterns if not any(re.fullmatch(p, path) for path in paths)]
    for path in missing:
        print(f"{kind}: touches {path}, which the table does not name")
    for pattern in unused:
        print(f"{kind}: the table names {pattern}, which was not touched")
    wrong += bool(missing or unused)
    print(f"{kind}: {len(paths)} files")
sys.exit(1 if wrong else 0)
