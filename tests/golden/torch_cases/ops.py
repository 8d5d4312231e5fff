"""Cases of the ops."""

import math

import torch
import torch.nn.functional as F

from torch_cases.cases import (
    beyond, channels_last, channels_second, future, index, normal, packed, padded, positive)

INF = float("inf")


def arithmetic(cases):
    add = cases.add
    for name, op in {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div}.items():
        add(f"operator{name}", op, input=normal(3, 5), other=positive(3, 5))
        add(f"operator{name}.row", op, input=normal(2, 3, 5), other=positive(5))
        add(f"operator{name}.column", op, input=normal(3, 1), other=positive(2, 3, 7))
        add(f"operator{name}.both", op, input=normal(4, 1, 3), other=positive(5, 1))
        add(f"operator{name}.scalar", op, input=normal(), other=positive(3, 5))
    add("operator*.number", lambda x: (x * 0.75, -1.5 * x), x=normal(3, 5))
    add("operator+.number", lambda x: (x + 0.75, -1.5 + x), x=normal(3, 5))
    add("operator-.number", lambda x: (x - 0.75, -1.5 - x, -x), x=normal(3, 5))
    add("operator/.number", lambda x: x / 0.75, x=normal(3, 5))


def functions(cases):
    add = cases.add
    for op in torch.exp, torch.tanh, torch.erf, torch.relu:
        add(op.__name__, op, input=normal(3, 37))
    add("log", torch.log, input=positive(3, 37))
    add("sqrt", torch.sqrt, input=positive(3, 37))
    add("gelu", F.gelu, input=normal(3, 37) * 2)
    add("gelu_tanh", lambda input: F.gelu(input, approximate="tanh"), input=normal(3, 37) * 2)
    a = normal(3, 5)
    add("greater", torch.gt, input=a, other=torch.where(normal(3, 5) > 0, a, normal(3, 5)))
    add("where", lambda c, a, b: torch.where(c != 0, a, b), c=index([[1], [0], [-2]]), a=normal(2, 3, 5), b=normal(5))


def reductions(cases):
    add = cases.add
    x = normal(3, 5, 7)
    for name, op in {"sum": torch.sum, "mean": torch.mean}.items():
        add(name, op, input=x)
        for axis in 0, 1, -1:
            add(f"{name}.axis{axis}", lambda input: op(input, axis), input=x)
        add(f"{name}.keep_axis", lambda input: op(input, 1, keepdim=True), input=x)
    for axis in 0, 1, -1:
        add(f"max.axis{axis}", lambda x: x.max(axis).values, x=x)
        add(f"argmax.axis{axis}", lambda x: x.argmax(axis), x=x)
    add("max.keep_axis", lambda x: x.max(1, keepdim=True).values, x=x)
    add("top_k", lambda x: tuple(x.topk(3)), x=x)
    add("top_k.all", lambda x: tuple(x.topk(7)), x=x)
    add("sum_to", lambda x: x.sum_to_size(5, 1), x=x)
    add("sum_to.scalar", lambda x: x.sum_to_size(()), x=x)


def products(cases):
    add = cases.add

    def product(transpose_a, transpose_b):
        return lambda a, b: (a.mT if transpose_a else a) @ (b.mT if transpose_b else b)

    shapes = {"": ((5, 7), (7, 3)), ".batch": ((2, 3, 5, 7), (2, 3, 7, 3)), ".left": ((4, 5, 7), (7, 3)),
              ".right": ((5, 7), (4, 7, 3)), ".both": ((2, 1, 5, 7), (3, 7, 3)), ".large": ((37, 65), (65, 19))}
    for variant, (a, b) in shapes.items():
        add(f"matmul{variant}", product(False, False), a=normal(*a), b=normal(*b))
    for transpose_a, transpose_b in (True, False), (False, True), (True, True):
        name = "matmul" + ".transpose_a" * transpose_a + ".transpose_b" * transpose_b
        for variant, batch in ("", ()), (".batch", (2,)):
            a, b = normal(*batch, 5, 7), normal(*batch, 7, 3)
            add(name + variant, product(transpose_a, transpose_b), a=a.mT if transpose_a else a,
                b=b.mT if transpose_b else b)
    add("linear", F.linear, input=normal(5, 7), weight=normal(3, 7), bias=normal(3))
    add("linear.no_bias", F.linear, input=normal(5, 7), weight=normal(3, 7))
    add("linear.batch", F.linear, input=normal(2, 3, 7), weight=normal(9, 7), bias=normal(9))


def shapes(cases):
    add = cases.add
    x = normal(3, 4, 5)
    add("reshape", lambda x: x.reshape(6, 10), x=x)
    add("reshape.rest", lambda x: x.reshape(2, -1, 3), x=x)
    add("transpose", lambda x: x.transpose(-2, -1), x=x)
    add("transpose.axes", lambda x: x.transpose(0, 2), x=x)
    add("broadcast_to", lambda x: x.broadcast_to(2, 3, 5), x=normal(3, 1))
    for axis in 0, 1, -1:
        sizes = [[3, 4, 5] for _ in range(3)]
        sizes[1][axis], sizes[2][axis] = 1, 2
        a, b, c = (normal(*size) for size in sizes)
        add(f"concat.axis{axis}", lambda a, b, c: torch.cat([a, b, c], axis), a=a, b=b, c=c)
    add("split", lambda x: x.split([1, 2, 1], 1), x=x)
    add("split.last_axis", lambda x: x.split([3, 2], -1), x=x)
    add("slice", lambda x: x[1:3], x=x)
    add("slice.last_axis", lambda x: x[..., 2:5], x=x)
    add("place", lambda x: F.pad(x, (0, 0, 2, 1)), x=x)
    add("place.last_axis", lambda x: F.pad(x, (1, 3)), x=x)
    add("cast", lambda x: (x.float().double(), x.double()), x=x)


def indexing(cases):
    add = cases.add
    x, i = normal(3, 5), index([[4, 0, 0, 1], [2, 2, 2, 3], [1, 4, 0, 4]])
    add("gather", lambda x, indices: x.gather(1, indices), x=x, indices=i)
    add("gather.axis0", lambda x, indices: x.gather(0, indices), x=normal(5, 4), indices=i)
    add("scatter_add", lambda x, indices: torch.zeros(3, 5).scatter_add(1, indices, x), x=normal(3, 4), indices=i)
    add("scatter_add.axis0", lambda x, indices: torch.zeros(6, 4).scatter_add(0, indices, x), x=normal(3, 4), indices=i)
    add("embedding", lambda indices, table: F.embedding(indices, table), indices=i, table=normal(5, 7))
    add("embedding_grad", lambda x, indices: torch.zeros(6, 7).index_add(0, indices.flatten(), x.reshape(-1, 7)),
        x=normal(3, 4, 7), indices=i)
    lengths = index([3, 1, 4])
    add("to_padded", padded, rows=normal(8, 2, 3), lengths=lengths)
    add("to_packed", packed, batch=normal(3, 4, 5), lengths=lengths)


def softmax_and_loss(cases):
    add = cases.add
    x = normal(2, 3, 37) * 2
    add("softmax", lambda x: x.softmax(-1), x=x)
    add("log_softmax", lambda x: x.log_softmax(-1), x=x)
    add("layer_norm", lambda x, gamma, beta: F.layer_norm(x, (37,), gamma, beta), x=x, gamma=normal(37),
        beta=normal(37))
    add("layer_norm.epsilon", lambda x, gamma, beta: F.layer_norm(x, (5,), gamma, beta, 0.25), x=normal(4, 5),
        gamma=normal(5), beta=normal(5))
    add("dropout", lambda x: F.dropout(x, 0.4, training=False), x=x)
    logits, targets = normal(6, 11) * 2, index([3, 0, 10, -1, 7, -1])
    for variant, options in {"": {}, ".sum": {"reduction": "sum"}, ".smoothing": {"label_smoothing": 0.1},
                             ".sum.smoothing": {"reduction": "sum", "label_smoothing": 0.3}}.items():
        add(f"cross_entropy{variant}",
            lambda logits, targets: F.cross_entropy(logits, targets, ignore_index=-1, **options), logits=logits,
            targets=targets)
    add("cross_entropy.ignored", lambda logits, targets: F.cross_entropy(logits, targets, ignore_index=2),
        logits=normal(5, 4), targets=index([2, 1, 0, 2, 3]))


def attend(query, key, value, hidden=None, bias=None, scale=None):
    """Attention of [B, T, H, D] tensors. hidden: True where a query must not look; bias is added to the scores."""
    mask = None if hidden is None else ~hidden
    if bias is not None:
        bias = bias.unsqueeze(1) if bias.dim() == 3 else bias
        mask = bias if hidden is None else bias.masked_fill(hidden, -INF)
    heads = [x.transpose(1, 2) for x in (query, key, value)]
    return F.scaled_dot_product_attention(*heads, attn_mask=mask, scale=scale).transpose(1, 2)


def weights_of(query, key, hidden=None):
    scores = query.transpose(1, 2) @ key.transpose(1, 2).mT / math.sqrt(query.shape[-1])
    return (scores if hidden is None else scores.masked_fill(hidden, -INF)).softmax(-1)


ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda input: F.gelu(input, approximate="tanh")}


def activations(cases):
    for name, activation in ACTIVATIONS.items():
        cases.add(f"activate.{name}", activation, input=normal(4, 9) * 2)
        cases.add(f"activated_linear.{name}", lambda input, weight, bias: F.linear(activation(input), weight, bias),
                  input=normal(5, 7), weight=normal(3, 7), bias=normal(3))


def attention(cases):
    def add(variant, function, **inputs):
        cases.add(f"scaled_dot_product_attention{variant}", function, **inputs)

    def qkv(queries=4, keys=4):
        return {"query": normal(2, queries, 3, 5), "key": normal(2, keys, 3, 5), "value": normal(2, keys, 3, 7)}

    add("", attend, **qkv())
    add(".cross", attend, **qkv(3, 6))
    add(".scale", lambda query, key, value: attend(query, key, value, scale=0.7), **qkv())
    add(".causal", lambda query, key, value: attend(query, key, value, future(4, 4)), **qkv())
    add(".causal.cross", lambda query, key, value: attend(query, key, value, future(3, 6)), **qkv(3, 6))
    add(".key_lengths", lambda query, key, value, lengths: attend(query, key, value, beyond(lengths, 6)[:, None, None]),
        **qkv(3, 6), lengths=index([2, 5]))
    add(".causal.key_lengths", lambda query, key, value, lengths: attend(query, key, value, future(3, 6) | beyond(
        lengths, 6)[:, None, None]), **qkv(3, 6), lengths=index([2, 5]))
    for variant, shape in {"": (4, 5), ".batch": (2, 1, 4, 5), ".heads": (2, 3, 4, 5)}.items():
        pairs = (torch.rand(shape) < 0.6).long()
        pairs[..., 1] = 1
        add(f".pairs{variant}", lambda query, key, value, pairs: attend(query, key, value, pairs == 0), **qkv(4, 5),
            pairs=pairs)
    nothing_seen = torch.ones(4, 5, dtype=torch.int64)
    nothing_seen[2] = 0
    add(".pairs.empty", lambda query, key, value, pairs: attend(query, key, value, pairs == 0), **qkv(4, 5),
        pairs=nothing_seen)
    add(".bias", attend, **qkv(4, 5), bias=normal(4, 5))
    add(".bias.batch", attend, **qkv(4, 5), bias=normal(2, 4, 5))
    add(".bias.heads.causal", lambda query, key, value, bias: attend(query, key, value, future(4, 5), bias),
        **qkv(4, 5), bias=normal(2, 3, 4, 5))

    def in_padding(function):
        def run(query, key, value, queries, keys):
            q, k, v = padded(query, queries), padded(key, keys), padded(value, keys)
            hidden = beyond(keys)[:, None, None]
            return packed(function(q, k, v, hidden), queries)
        return run

    rows = {"query": normal(8, 3, 5), "key": normal(8, 3, 5), "value": normal(8, 3, 7)}
    lengths, others = index([3, 1, 4]), index([2, 5, 1])
    add(".packed", in_padding(attend), **rows, queries=lengths, keys=lengths)
    add(".packed.cross", in_padding(attend), **rows, queries=lengths, keys=others)
    add(".packed.causal", in_padding(lambda q, k, v, hidden: attend(q, k, v, hidden | future(4, 4))), **rows,
        queries=lengths, keys=lengths)

    q, k = normal(2, 3, 3, 5), normal(2, 6, 3, 5)
    cases.add("attention_weights", weights_of, query=q, key=k)
    cases.add("attention_weights.causal", lambda query, key: weights_of(query, key, future(3, 6)), query=q, key=k)
    cases.add("attention_weights.packed",
              lambda query, key, queries, keys: weights_of(padded(query, queries), padded(key, keys), beyond(
                  keys)[:, None, None]).masked_fill(beyond(queries)[:, None, :, None], 0), query=rows["query"],
              key=rows["key"], queries=lengths, keys=others)
    cases.add("attention_mix", lambda weights, value: (weights @ value.transpose(1, 2)).transpose(1, 2),
              weights=positive(2, 3, 4, 6), value=normal(2, 6, 3, 5))


def images(cases):
    add = cases.add
    window = {"kernel_size": (3, 2), "stride": 2, "padding": 1}

    def windows(x, size=(3, 2), stride=2, padding=1):
        """[B, H, W, C] to [B, H', W', height width C] by indexing."""
        x = F.pad(x, (0, 0) + (padding,) * 4)
        x = x.unfold(1, size[0], stride).unfold(2, size[1], stride)
        return x.permute(0, 1, 2, 4, 5, 3).flatten(3)

    def back(x):
        x = x.reshape(2, 12, 6, 3).permute(0, 3, 2, 1).reshape(2, 18, 12)
        return channels_last(F.fold(x, (5, 7), **window))

    x = normal(2, 5, 7, 3)
    add("unfold", windows, x=x)
    add("fold", back, x=normal(2, 3, 4, 18))
    add("patches", lambda x: windows(x, (2, 2), 2, 0).flatten(1, 2), x=normal(2, 4, 6, 3))

    def convolve(x, weight, bias=None, **options):
        return channels_last(F.conv2d(channels_second(x), channels_second(weight), bias, **options))

    weights = {"weight": normal(4, 3, 2, 3), "bias": normal(4)}
    for variant, options in {"": {}, ".stride": {"stride": 2}, ".padding": {"padding": 2},
                             ".stride.padding": {"stride": 3, "padding": 1}}.items():
        add(f"conv2d{variant}", lambda x, weight, bias: convolve(x, weight, bias, **options), x=x, **weights)
    add("conv2d.no_bias", convolve, x=x, weight=normal(4, 2, 3, 3))
    for variant, options in {"": {"kernel_size": 2}, ".stride": {"kernel_size": 2, "stride": 1},
                             ".padding": {"kernel_size": 3, "stride": 2, "padding": 1}}.items():
        add(f"max_pool2d{variant}", lambda x: channels_last(F.max_pool2d(channels_second(x), **options)), x=x)
        add(f"average_pool2d{variant}", lambda x: channels_last(F.avg_pool2d(
            channels_second(x), count_include_pad=False, **options)), x=x)

    def batch_norm(x, gamma, beta, epsilon=1e-5):
        mean, variance = torch.zeros(3), torch.ones(3)
        y = F.batch_norm(channels_second(x), mean, variance, gamma, beta, training=True, momentum=1, eps=epsilon)
        rows = x.numel() / 3
        return channels_last(y), mean, variance * ((rows - 1) / rows)  # PyTorch's running variance has divisor N - 1

    scale = {"gamma": normal(3), "beta": normal(3)}
    add("batch_norm", batch_norm, x=x + 1, **scale)
    add("batch_norm.epsilon", lambda x, gamma, beta: batch_norm(x, gamma, beta, 0.25), x=x, **scale)
    add("stochastic_depth", lambda x: x * 1, x=normal(3, 5))
    logits, targets = normal(6, 11) * 2, (normal(6, 11).softmax(-1)).float().double()
    for variant, options in {"": {}, ".sum": {"reduction": "sum"}, ".smoothing": {"label_smoothing": 0.1}}.items():
        add(f"soft_cross_entropy{variant}", lambda logits, targets: F.cross_entropy(logits, targets, **options),
            logits=logits, targets=targets)
    add("soft_cross_entropy.constant_targets", lambda logits, targets: F.cross_entropy(logits, targets.detach()),
        logits=logits, targets=targets)
