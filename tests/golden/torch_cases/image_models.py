"""Cases of the layers and models of images."""

import torch
import torch.nn.functional as F
from torch import nn

from torch_cases.cases import channels_last, channels_second, index, normal, positive, randomize
from torch_cases.layers import sinusoids
from torch_cases.ops import attend


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
