"""Cases of the layers, and of the models of sequences."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from torch_cases.cases import beyond, future, index, normal, packed, padded, randomize
from torch_cases.ops import ACTIVATIONS

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
