"""Writes pillow_operations/: a colour and a grey picture, and what Pillow's operations make of them (PPM and PGM).

Needs: pip install pillow. Run: python tests/golden/make_pillow_operations.py. The same version writes the same files.
"""

import pathlib
import random

from PIL import Image, ImageEnhance, ImageOps

FOLDER = pathlib.Path(__file__).parent / "pillow_operations"
WIDTH, HEIGHT = 25, 22


def noise(mode):
    """Values from 20 to 230, dark ones more often, with a patch without contrast."""
    values = random.Random(7)
    channels = len(mode) if mode == "RGB" else 1
    pixels = bytearray(int(20 + 210 * values.random() ** 2) for _ in range(WIDTH * HEIGHT * channels))
    pixels[:60] = bytes([90] * 60)
    return Image.frombytes(mode, (WIDTH, HEIGHT), bytes(pixels))


def shear(image, factor, along_x):
    middle = factor * (HEIGHT if along_x else WIDTH) / 2
    matrix = (1, factor, -middle, 0, 1, 0) if along_x else (1, 0, 0, factor, 1, -middle)
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


OPERATIONS = {
    "original": lambda image: image,
    "flip": ImageOps.mirror,
    "translate_3_-2": lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, -3, 0, 1, 2)),
    "rotate_17": lambda image: image.rotate(17, Image.Resampling.BILINEAR),
    "rotate_-25": lambda image: image.rotate(-25, Image.Resampling.BILINEAR),
    "shear_x_0.3": lambda image: shear(image, 0.3, True),
    "shear_y_-0.2": lambda image: shear(image, -0.2, False),
    "brightness_0.4": lambda image: ImageEnhance.Brightness(image).enhance(0.4),
    "brightness_1.7": lambda image: ImageEnhance.Brightness(image).enhance(1.7),
    "contrast_0.3": lambda image: ImageEnhance.Contrast(image).enhance(0.3),
    "contrast_1.8": lambda image: ImageEnhance.Contrast(image).enhance(1.8),
    "sharpness_0.2": lambda image: ImageEnhance.Sharpness(image).enhance(0.2),
    "sharpness_1.9": lambda image: ImageEnhance.Sharpness(image).enhance(1.9),
    "posterize_3": lambda image: ImageOps.posterize(image, 3),
    "solarize_100": lambda image: ImageOps.solarize(image, 100),
    "auto_contrast": ImageOps.autocontrast,
    "equalize": ImageOps.equalize,
}

FOLDER.mkdir(exist_ok=True)
for mode, suffix in {"RGB": "ppm", "L": "pgm"}.items():
    for name, operation in OPERATIONS.items():
        operation(noise(mode)).save(FOLDER / f"{name}.{suffix}")
