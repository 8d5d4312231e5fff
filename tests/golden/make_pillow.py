"""Writes pillow/: small pictures of every kind that is read, and beside each what Pillow makes of it (PPM: RGB).

Needs: pip install pillow. Run: python tests/golden/make_pillow.py. The same version writes the same files.
"""

import math
import pathlib
import struct
import zlib

from PIL import Image

FOLDER = pathlib.Path(__file__).parent / "pillow"
WIDTH, HEIGHT = 21, 18


def picture(mode, value):
    image = Image.new(mode, (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            image.putpixel((x, y), value(x, y))
    return image


def wave(x, y, phase):
    return round(127.5 + 100 * math.sin(x / 4 + phase) * math.cos(y / 5 - phase))


def colour(x, y):
    return wave(x, y, 0), wave(x, y, 1), wave(x, y, 2)


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def transparent(palette, index):
    image = palette.convert("RGBA")
    clear = palette.point(lambda i: 255 * (i != index), "L")
    image.putalpha(clear)
    return image


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def write_rgb_png(name, depth, passes):
    """What Pillow cannot write: 16 bits a channel, and interlaced rows."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b""
    for left, top, step_x, step_y in passes:
        for y in range(top, HEIGHT, step_y):
            values = [v for x in range(left, WIDTH, step_x) for v in colour(x, y)]
            rows += b"\0" + (bytes(values) if depth == 8 else struct.pack(f">{len(values)}H", *(256 * v + 7 for v in values)))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, 2, 0, 0, passes is ADAM7)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    with Image.open(FOLDER / name) as again:
        again.convert("RGB").save(FOLDER / (name + ".ppm"))


def save(name, image, expected=None, **options):
    image.save(FOLDER / name, **options)
    with Image.open(FOLDER / name) as again:
        (expected or again.convert("RGB")).save(FOLDER / (name + ".ppm"))


def main():
    FOLDER.mkdir(exist_ok=True)
    rgb = picture("RGB", colour)
    grey = rgb.convert("L")
    rgba = picture("RGBA", lambda x, y: (*colour(x, y), min(255, 13 * x)))
    palette = rgb.quantize(16)
    save("rgb.png", rgb)
    save("grey.png", grey)
    save("bit.png", grey.convert("1"))
    save("palette.png", palette)
    save("palette-transparent.png", palette, over_white(transparent(palette, 3)), transparency=3)
    save("rgb-alpha.png", rgba, over_white(rgba))
    grey_alpha = rgba.convert("LA")
    save("grey-alpha.png", grey_alpha, over_white(grey_alpha))
    deep = picture("I;16", lambda x, y: 3000 * x + 7 * y)
    save("grey16.png", deep, picture("RGB", lambda x, y: (deep.getpixel((x, y)) >> 8,) * 3))
    write_rgb_png("interlaced.png", 8, ADAM7)
    write_rgb_png("rgb16.png", 16, [(0, 0, 1, 1)])
    save("rgb.jpg", rgb, quality=90)
    save("rgb-444.jpg", rgb, quality=95, subsampling=0)
    save("grey.jpg", grey, quality=90)
    save("progressive.jpg", rgb, quality=90, progressive=True)
    save("restarts.jpg", rgb, quality=90, restart_marker_blocks=1)
    save("cmyk.jpg", rgb.convert("CMYK"), quality=95)


if __name__ == "__main__":
    main()
