"""Makes torch/*.safetensors: what PyTorch computes for the ops, layers and optimizers of mixtape.

    pip install torch numpy safetensors && python make_torch.py

Everything is computed in float64 on the CPU and stored as F64, indices as I32. Numbers that go in are exact in
float32, so that a test in f32 starts from the same ones. The metadata of each file name the PyTorch version.

A case is called after the op or layer, with a variant after a dot: `matmul.transpose_b`. Its tensors are

    <case>/in/<name>              what goes in
    <case>/parameter/<name>       the weights, under mixtape's names
    <case>/out/<i>                the results
    <case>/seed/<i>               their weights in the loss, sum over i of sum(out_i * seed_i)
    <case>/grad/<name>            the gradients of that loss, of what goes in
    <case>/parameter_grad/<name>  and of the weights

Images are [B, H, W, C] in mixtape and weights of convolutions [O, height, width, C]; PyTorch has the channels second,
and what goes in and comes out is turned here. Sequences of different lengths go in packed, and are padded for PyTorch here. PyTorch draws other masks, so dropout is
compared where it lets everything through; every other layer is compared without it.
"""

import math
import pathlib

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import nn

INF = float("inf")


# --- numbers that float32 holds


def normal(*shape):
    return torch.randn(shape, dtype=torch.float32).double()


def positive(*shape):
    return (torch.rand(shape, dtype=torch.float32) + 0.5).double()


def index(values):
    return torch.tensor(values, dtype=torch.int64)


def randomize(module):
    """Gives every weight a value that matters (biases often start at 0, norms at 1), about as large as in Linear."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            is_scale = "norm" in name.lower() and name.endswith("weight")
            noise = normal(*parameter.shape)
            parameter.copy_((1 + 0.2 * noise if is_scale else 0.25 * noise).float())
    return module


# --- packed and padded


def padded(rows, lengths):
    return nn.utils.rnn.pad_sequence(rows.split(lengths.tolist()), batch_first=True)


def packed(batch, lengths):
    return torch.cat([sequence[:length] for sequence, length in zip(batch, lengths)])


def beyond(lengths, size=None):
    """True at the places of padding, [B, size]."""
    return torch.arange(size or int(lengths.max())) >= lengths[:, None]


def future(queries, keys):
    """True where the last `queries` of `keys` positions must not look."""
    return torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)


# --- images with the channels last, and second


def channels_second(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


# --- a file of cases


class Cases:
    def __init__(self):
        self.tensors = {}

    def store(self, case, group, named):
        for name, tensor in named.items():
            key = f"{case}/{group}/{name}"
            assert key not in self.tensors, key
            tensor = tensor.detach()
            tensor = tensor.double() if tensor.is_floating_point() else tensor.int()
            self.tensors[key] = tensor.clone().contiguous()

    def add(self, case, function, module=None, **inputs):
        """Runs function(**inputs), with all its gradients. What it gives is one tensor, or a tuple."""
        inputs = {n: x.clone().requires_grad_() if x.is_floating_point() else x for n, x in inputs.items()}
        results = function(**inputs)
        results = results if isinstance(results, tuple) else (results,)
        results = dict(enumerate(results))
        seeds = {i: normal(*y.shape) for i, y in results.items() if y.requires_grad}
        self.store(case, "in", inputs)
        self.store(case, "out", results)
        self.store(case, "seed", seeds)
        if seeds:
            sum((results[i] * seed).sum() for i, seed in seeds.items()).backward()
        self.store(case, "grad", {n: x.grad for n, x in inputs.items() if x.grad is not None})
        if module is not None:
            self.store(case, "parameter", mixtape_names(dict(module.named_parameters())))
            self.store(case, "parameter_grad", mixtape_gradients(module))

    def save(self, name):
        path = pathlib.Path(__file__).parent / "torch" / f"{name}.safetensors"
        safetensors.torch.save_file(self.tensors, path, metadata={"torch": torch.__version__})
        cases = len({key.rsplit("/", 2)[0] for key in self.tensors})
        print(f"{path.name}: {cases} cases by PyTorch {torch.__version__}, {path.stat().st_size} bytes")


def mixtape_names(named):
    """PyTorch's names and layouts of weights to mixtape's; the joint projection of queries, keys and values is taken
    apart."""
    renamed = {}
    for name, tensor in named.items():
        prefix, _, last = name.rpartition("norm2.")
        if last and f"{prefix}multihead_attn.in_proj_weight" not in named:
            name = name.replace("norm2.", "feed_forward_norm.")
        for theirs, ours in [("layers.", "layer."), ("self_attn.", "attention."), ("multihead_attn.", "cross."),
                             ("out_proj.", "output."), ("linear1.", "feed_forward.up."),
                             ("linear2.", "feed_forward.down."), ("norm1.", "attention_norm."),
                             ("norm2.", "cross_norm."), ("norm3.", "feed_forward_norm.")]:
            name = name.replace(theirs, ours)
        prefix, joint, kind = name.partition("in_proj_")
        if joint:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3)):
                renamed[f"{prefix}{part}.{kind}"] = piece
        elif tensor.dim() == 4:  # of a convolution; one that takes patches apart is linear in mixtape
            tensor = channels_last(tensor)
            renamed[name] = tensor.flatten(1) if "projection" in name else tensor
        else:
            renamed[name] = tensor
    return renamed


def mixtape_gradients(module):
    return mixtape_names({name: parameter.grad for name, parameter in module.named_parameters()})


# --- ops


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


# --- layers


WIDTH, HEADS, HIDDEN = 6, 2, 10


class SelfAttention(nn.Module):
    """Single-head self-attention as articles print it."""

    def __init__(self, input_dim):
        super().__init__()
        self.input_dim = input_dim
        self.query = nn.Linear(input_dim, input_dim)
        self.key = nn.Linear(input_dim, input_dim)
        self.value = nn.Linear(input_dim, input_dim)
        self.softmax = nn.Softmax(dim=2)

    def forward(self, x):
        queries = self.query(x)
        keys = self.key(x)
        values = self.value(x)
        scores = torch.bmm(queries, keys.transpose(1, 2)) / (self.input_dim**0.5)
        attention = self.softmax(scores)
        return torch.bmm(attention, values)


def sinusoids(longest, width):
    """The table of positional encodings as PyTorch's tutorials compute it, [longest, width]."""
    position = torch.arange(longest).unsqueeze(1)
    frequency = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    table = torch.zeros(longest, width)
    table[:, 0::2] = torch.sin(position * frequency)
    table[:, 1::2] = torch.cos(position * frequency)
    return table


def block(pre_norm, width=WIDTH, heads=HEADS, hidden=HIDDEN, activation=F.relu):
    return {"d_model": width, "nhead": heads, "dim_feedforward": hidden, "dropout": 0.0, "activation": activation,
            "batch_first": True, "norm_first": pre_norm}


def encoder(layers, options):
    norm = nn.LayerNorm(options["d_model"]) if options["norm_first"] else None
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(**options), layers, norm, enable_nested_tensor=False)


def decoder(layers, options):
    norm = nn.LayerNorm(options["d_model"]) if options["norm_first"] else None
    return nn.TransformerDecoder(nn.TransformerDecoderLayer(**options), layers, norm)


def encode(module, x, lengths):
    return module(x, src_key_padding_mask=beyond(lengths))


def decode(module, x, memory, lengths, memory_lengths):
    return module(x, memory, tgt_mask=future(x.shape[1], x.shape[1]), tgt_key_padding_mask=beyond(lengths),
                  memory_key_padding_mask=beyond(memory_lengths))


class Translator(nn.Module):
    def __init__(self, vocab, layers, options, tied):
        super().__init__()
        self.width = options["d_model"]
        self.embedding = nn.Embedding(vocab, self.width)
        if not tied:
            self.target_embedding = nn.Embedding(vocab, self.width)
            self.output = nn.Linear(self.width, vocab)
        self.encoder = encoder(layers, options)
        self.decoder = decoder(layers, options)
        self.tied = tied

    def embed(self, table, tokens, lengths):
        rows = padded(tokens, lengths)
        return table(rows) * math.sqrt(self.width) + sinusoids(rows.shape[1], self.width)

    def forward(self, source, source_lengths, target, target_lengths):
        memory = encode(self.encoder, self.embed(self.embedding, source, source_lengths), source_lengths)
        table = self.embedding if self.tied else self.target_embedding
        x = self.embed(table, target, target_lengths)
        x = packed(decode(self.decoder, x, memory, target_lengths, source_lengths), target_lengths)
        return F.linear(x, self.embedding.weight) if self.tied else self.output(x)


class LanguageModel(nn.Module):
    def __init__(self, vocab, longest, layers, options, tied):
        super().__init__()
        self.embedding = nn.Embedding(vocab, options["d_model"])
        self.positions = nn.Embedding(longest, options["d_model"])
        self.decoder = encoder(layers, options)
        if not tied:
            self.output = nn.Linear(options["d_model"], vocab)
        self.tied = tied

    def forward(self, tokens, lengths):
        rows = padded(tokens, lengths)
        time = rows.shape[1]
        x = self.embedding(rows) + self.positions(torch.arange(time))
        x = packed(self.decoder(x, mask=future(time, time), src_key_padding_mask=beyond(lengths)), lengths)
        return F.linear(x, self.embedding.weight) if self.tied else self.output(x)


def small_layers(cases):
    def add(case, module, function=None, **inputs):
        randomize(module)
        cases.add(case, function or module, module, **inputs)

    add("Linear", nn.Linear(5, 7), input=normal(3, 5))
    add("Linear.batch", nn.Linear(5, 7), input=normal(2, 3, 5))
    add("Embedding", nn.Embedding(7, 5), input=index([[1, 6, 1], [0, 0, 3]]))
    add("LayerNorm", nn.LayerNorm(5), input=normal(2, 3, 5))
    add("LayerNorm.epsilon", nn.LayerNorm(5, eps=0.25), input=normal(2, 3, 5))
    add("Softmax", nn.Softmax(dim=-1), input=normal(2, 3, 5))
    add("Dropout", nn.Dropout(0.4).eval(), input=normal(2, 3, 5))
    for name, activation in ACTIVATIONS.items():
        parts = nn.ModuleDict({"up": nn.Linear(5, 9), "down": nn.Linear(9, 5)})
        add(f"FeedForward.{name}", parts, lambda x: parts["down"](activation(parts["up"](x))), x=normal(2, 3, 5))
    places = index([0, 1, 2, 0, 6])
    add("SinusoidalPositions", nn.Identity(), lambda x, positions: x + sinusoids(7, 6)[positions], x=normal(5, 6),
        positions=places)
    table = nn.Embedding(7, 5)
    add("LearnedPositions", table, lambda x, positions: x + table(positions), x=normal(5, 5), positions=places)
    add("SelfAttention", SelfAttention(5), x=normal(2, 4, 5))


def multi_head_attention(cases):
    def add(case, function, **inputs):
        module = randomize(nn.MultiheadAttention(WIDTH, HEADS, batch_first=True))

        def run(**inputs):
            result = function(lambda *x, **masks: module(*x, average_attn_weights=False, **masks), **inputs)
            return result if isinstance(result, tuple) else (result,)
        cases.add(f"MultiHeadAttention{case}", run, module, **inputs)

    x, memory = normal(2, 4, WIDTH), normal(2, 3, WIDTH)
    add("", lambda mha, x: mha(x, x, x)[0], x=x)
    add(".causal", lambda mha, x: mha(x, x, x, attn_mask=future(4, 4))[0], x=x)
    add(".cross", lambda mha, x, memory: mha(x, memory, memory)[0], x=x, memory=memory)
    add(".weights", lambda mha, x, memory: mha(x, memory, memory), x=x, memory=memory)

    def in_padding(mha, x, lengths):
        x = padded(x, lengths)
        time = x.shape[1]
        return packed(mha(x, x, x, key_padding_mask=beyond(lengths), attn_mask=future(time, time))[0], lengths)

    def across(mha, x, memory, lengths, memory_lengths):
        memory = padded(memory, memory_lengths)
        return packed(mha(padded(x, lengths), memory, memory, key_padding_mask=beyond(memory_lengths))[0], lengths)

    lengths, others = index([3, 1, 4]), index([2, 5, 1])
    add(".packed.causal", in_padding, x=normal(8, WIDTH), lengths=lengths)
    add(".packed.cross", across, x=normal(8, WIDTH), memory=normal(8, WIDTH), lengths=lengths, memory_lengths=others)


def models(cases):
    lengths, others = index([3, 1, 4]), index([2, 5, 1])
    rows = {"x": normal(8, WIDTH), "lengths": lengths}
    both = rows | {"memory": normal(8, WIDTH), "memory_lengths": others}

    def add(case, module, function, **inputs):
        randomize(module)
        cases.add(case, lambda **inputs: function(module, **inputs), module, **inputs)

    def run_encoder(module, x, lengths):
        return packed(encode(module, padded(x, lengths), lengths), lengths)

    def run_decoder(module, x, memory, lengths, memory_lengths):
        y = decode(module, padded(x, lengths), padded(memory, memory_lengths), lengths, memory_lengths)
        return packed(y, lengths)

    for norm, pre_norm in ("pre_norm", True), ("post_norm", False):
        options = block(pre_norm)
        add(f"EncoderLayer.{norm}", nn.TransformerEncoderLayer(**options), run_encoder, **rows)
        add(f"DecoderLayer.{norm}", nn.TransformerDecoderLayer(**options), run_decoder, **both)
        add(f"Encoder.{norm}", encoder(2, options), run_encoder, **rows)
        add(f"Decoder.{norm}", decoder(2, options), run_decoder, **both)
    add("EncoderLayer.gelu", nn.TransformerEncoderLayer(**block(True, activation=F.gelu)), run_encoder, **rows)
    add("EncoderLayer.padded", nn.TransformerEncoderLayer(**block(True)), lambda module, x: module(x),
        x=normal(2, 4, WIDTH))

    source, target = index([5, 3, 8, 1, 1, 6, 2, 8]), index([2, 7, 4, 2, 2, 9, 0, 3])
    sentences = {"source": source, "source_lengths": others, "target": target, "target_lengths": lengths}
    for name, pre_norm, tied in ("tied", True, True), ("untied", True, False), ("post_norm", False, True):
        add(f"Transformer.{name}", Translator(10, 1, block(pre_norm), tied), lambda module, **batch: module(**batch),
            **sentences)
    for name, tied in ("tied", True), ("untied", False):
        add(f"LanguageModel.{name}", LanguageModel(10, 5, 2, block(True, activation=F.gelu), tied),
            lambda module, **batch: module(**batch), tokens=target, lengths=lengths)


class LinearAttention(nn.Module):
    """Features of queries and keys in place of a softmax, all weights written out."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x, lengths=None):
        rows = x if lengths is None else padded(x, lengths)
        q, k, v = (part(rows).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for part in (self.query, self.key, self.value))
        weights = (F.elu(q) + 1) @ (F.elu(k) + 1).transpose(2, 3)
        if self.causal:
            weights = weights.tril()
        y = self.output((weights / weights.sum(-1, keepdim=True) @ v).transpose(1, 2).flatten(-2))
        return y if lengths is None else packed(y, lengths)


def linear_attention(cases):
    for name, causal in ("", False), (".causal", True):
        cases.add(f"LinearAttention{name}", *2 * [randomize(LinearAttention(WIDTH, HEADS, causal))],
                  x=normal(2, 4, WIDTH))
    cases.add("LinearAttention.packed.causal", *2 * [randomize(LinearAttention(WIDTH, HEADS, True))],
              x=normal(8, WIDTH), lengths=index([3, 1, 4]))


class PatchEmbedding(nn.Module):
    """[B, H, W, C] to [B, patches, width]: one convolution that takes patches apart, after others in a stem."""

    def __init__(self, patch, channels, width, stem=False):
        super().__init__()
        self.convolution, self.norm = nn.ModuleList(), nn.ModuleList()
        while stem and patch > 1:
            patch //= 2
            self.convolution.append(nn.Conv2d(channels, width // patch, 3, stride=2, padding=1))
            self.norm.append(nn.LayerNorm(width // patch))
            channels = width // patch
        self.projection = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        x = channels_second(x)
        for convolution, norm in zip(self.convolution, self.norm):
            x = F.gelu(channels_second(norm(channels_last(convolution(x)))))
        return self.projection(x).flatten(2).transpose(1, 2)


class LayerScale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.weight


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (part(x).unflatten(-1, (self.heads, -1)) for part in (self.query, self.key, self.value))
        return self.output(attend(q, k, v).flatten(-2))


class Block(nn.Module):
    def __init__(self, width, heads, hidden, scaled):
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.ModuleDict({"up": nn.Linear(width, hidden), "down": nn.Linear(hidden, width)})
        self.attention_scale = LayerScale(width) if scaled else nn.Identity()
        self.feed_forward_scale = LayerScale(width) if scaled else nn.Identity()

    def forward(self, x):
        x = x + self.attention_scale(self.attention(self.attention_norm(x)))
        y = self.feed_forward["down"](F.gelu(self.feed_forward["up"](self.feed_forward_norm(x))))
        return x + self.feed_forward_scale(y)


def waves_2d(rows, columns, width):
    """[rows columns, width]: half of it says the row, half the column."""
    table = sinusoids(max(rows, columns), width // 2)
    return torch.cat([table[:rows].repeat_interleave(columns, 0), table[:columns].repeat(rows, 1)], 1)


class VisionTransformer(nn.Module):
    def __init__(self, height, width, channels, patch, classes, dim, heads, layers, hidden, other):
        """other: mean pooling, sinusoidal positions, layer scale and a convolutional stem."""
        super().__init__()
        rows, columns = height // patch, width // patch
        self.embedding = PatchEmbedding(patch, channels, dim, stem=other)
        self.waves = waves_2d(rows, columns, dim) if other else None
        if not other:
            self.class_token = nn.Parameter(torch.zeros(dim))
            self.positions = nn.Embedding(rows * columns + 1, dim)
        blocks = nn.ModuleList([Block(dim, heads, hidden, other) for _ in range(layers)])
        self.encoder = nn.ModuleDict({"layer": blocks, "norm": nn.LayerNorm(dim)})
        self.head = nn.Linear(dim, classes)

    def forward(self, images, labels):
        x = self.embedding(images)
        if self.waves is None:
            token = self.class_token.expand(len(x), 1, -1)
            x = torch.cat([token, x], 1) + self.positions.weight
        else:
            x = x + self.waves
        for block in self.encoder["layer"]:
            x = block(x)
        x = self.encoder["norm"](x)
        scores = self.head(x[:, 0] if self.waves is None else x.mean(1))
        return scores, F.cross_entropy(scores, labels, label_smoothing=0.1)


def image_models(cases):
    def add(case, module, function=None, **inputs):
        randomize(module)
        cases.add(case, function or module, module, **inputs)

    def on_images(module):
        return lambda x: channels_last(module(channels_second(x)))

    convolution = nn.Conv2d(3, 4, 3, stride=2, padding=1)
    x = normal(2, 7, 6, 3)
    add("Conv2d", convolution, on_images(convolution), x=x)
    add("MaxPool2d", nn.Identity(), on_images(nn.MaxPool2d(3, 2, 1)), x=x)
    add("AveragePool2d", nn.Identity(), on_images(nn.AvgPool2d(3, 2, 1, count_include_pad=False)), x=x)
    add("LayerScale", LayerScale(5), x=normal(3, 5))
    add("StochasticDepth", nn.Identity(), lambda x: x * 1, x=normal(3, 5))
    add("SinusoidalPositions2d", nn.Identity(), lambda x: x + waves_2d(3, 2, 8), x=normal(2, 6, 8))
    add("PatchEmbedding", PatchEmbedding(2, 3, 5), x=normal(2, 4, 6, 3))
    add("PatchEmbedding.convolution", PatchEmbedding(4, 3, 6, stem=True), x=normal(2, 8, 4, 3))

    norm = randomize(nn.BatchNorm2d(3)).eval()
    norm.running_mean.copy_(normal(3))
    norm.running_var.copy_(positive(3))
    cases.add("BatchNorm", on_images(norm), norm, x=x)
    cases.store("BatchNorm", "parameter", {"running_mean": norm.running_mean, "running_variance": norm.running_var})

    for variant, other in ("", False), (".mean.sinusoidal.scaled.convolution", True):
        add(f"VisionTransformer{variant}", VisionTransformer(8, 12, 3, 4, 5, 12, 3, 2, 20, other),
            images=normal(4, 8, 12, 3), labels=index([3, 0, 4, 2]))


# --- optimizers


def optimizers(cases):
    """<case>/start/<name>, then ten of each: <case>/gradient/<name> and <case>/after/<name>, [10, ...]."""
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    for case, make, options in [
        ("Sgd", sgd, {"lr": 0.1}),
        ("Sgd.weight_decay", sgd, {"lr": 0.1, "weight_decay": 0.2}),
        ("Sgd.momentum", sgd, {"lr": 0.1, "momentum": 0.9}),
        ("Sgd.dampening", sgd, {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
        ("Sgd.nesterov", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("Sgd.all", sgd, {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", adam, {"lr": 0.01}),
        ("Adam.betas", adam, {"lr": 0.02, "betas": (0.8, 0.98), "eps": 1e-4}),
        ("Adam.weight_decay", adam, {"lr": 0.01, "weight_decay": 0.3}),
        ("AdamW", adamw, {"lr": 0.01}),
        ("AdamW.betas", adamw, {"lr": 0.02, "betas": (0.8, 0.98), "eps": 1e-4, "weight_decay": 0.3}),
    ]:
        parameters = {"a": normal(3, 5).requires_grad_(), "b": normal(7).requires_grad_()}
        gradients = {name: normal(10, *p.shape) for name, p in parameters.items()}
        cases.store(case, "start", parameters)
        cases.store(case, "gradient", gradients)
        optimizer = make(parameters.values(), **options)
        after = {name: [] for name in parameters}
        for step in range(10):
            for name, parameter in parameters.items():
                parameter.grad = gradients[name][step].clone()
            optimizer.step()
            for name, parameter in parameters.items():
                after[name].append(parameter.detach().clone())
        cases.store(case, "after", {name: torch.stack(steps) for name, steps in after.items()})


def training_step(cases):
    """One step of an encoder-decoder: forward, loss, gradients, clipping, Adam.

    Adam's epsilon is large: it would turn the rounding errors of gradients that are 0 in exact arithmetic, those of
    the biases of keys, into steps of full size.
    """
    model = randomize(Translator(17, 2, block(True, width=12, heads=3, hidden=20), tied=True))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-3)
    source_lengths, target_lengths = index([4, 7, 1, 5]), index([5, 6, 2, 7])
    source, target = torch.randint(4, 17, (17,)), torch.randint(4, 17, (20,))
    ends = target_lengths.cumsum(0)
    target_in, target_out = target.roll(1), target.clone()
    target_in[ends - target_lengths] = 2
    target_out[ends - 1] = 3
    cases.store("step", "in", {"source": source, "source_lengths": source_lengths, "target_in": target_in,
                               "target_out": target_out, "target_lengths": target_lengths})
    cases.store("step", "parameter", mixtape_names(dict(model.named_parameters())))
    logits = model(source, source_lengths, target_in, target_lengths)
    loss = F.cross_entropy(logits, target_out, label_smoothing=0.1)
    loss.backward()
    cases.store("step", "parameter_grad", mixtape_gradients(model))
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    assert norm > 1.5, norm
    optimizer.step()
    cases.store("step", "out", {"logits": logits, "loss": loss, "gradient_norm": norm})
    cases.store("step", "after", mixtape_names(dict(model.named_parameters())))


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    files = {
        "ops": (arithmetic, functions, reductions, products, shapes, indexing, softmax_and_loss, attention, images,
                activations),
        "layers": (small_layers, multi_head_attention, models, image_models, linear_attention),
        "optimizers": (optimizers, training_step),
    }
    for seed, (name, makers) in enumerate(files.items()):
        torch.manual_seed(20170612 + seed)
        cases = Cases()
        for maker in makers:
            maker(cases)
        cases.save(name)


if __name__ == "__main__":
    main()
