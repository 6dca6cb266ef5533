"""Contact sheets and strips of 8-bit images, as PNG."""

import math
import os
from pathlib import Path

import cv2
import numpy as np

from pgcxr.images import enlarge, reduce_by_area
from pgcxr.io.artifacts import atomic_path
from pgcxr.plots.figure import COLORS, new_figure, save, styled

GAP = 2
PAPER = 255
CAPTION = {
    **{"fontsize": 5.5, "color": "white", "ha": "center", "va": "bottom"},
    "bbox": {"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.0},
}


def image_grid(
    images: np.ndarray, columns: int | None, path: str | os.PathLike, scale: int = 1
) -> Path:
    """Writes images [N, H, W], [N, H, W, 1] or RGB [N, H, W, 3], uint8, row by row, each pixel
    `scale` wide.

    `columns` None makes the sheet about square. Images are white-gapped and never interpolated.
    """
    return write_png(path, tile(images, columns, scale))


def strip(images: np.ndarray, path: str | os.PathLike, scale: int = 1) -> Path:
    """Writes images side by side in one row, e.g. a walk along an axis (thesis Figure 10)."""
    return image_grid(images, len(images), path, scale)


def tile(images: np.ndarray, columns: int | None = None, scale: int = 1) -> np.ndarray:
    """The sheet of `image_grid`, uint8 [H', W'] or [H', W', 3].

    Example:

        >>> import numpy as np
        >>> from pgcxr.plots.grids import tile
        >>> tile(np.zeros((6, 32, 32), np.uint8), columns=3).shape
        (66, 100)
    """
    images = _as_images(images)
    columns = columns or math.ceil(math.sqrt(len(images)))
    images = enlarge(images, scale, axes=(1, 2))
    count, height, width, channels = images.shape
    rows = math.ceil(count / columns)
    sheet = np.full((rows * columns, height + GAP, width + GAP, channels), PAPER, np.uint8)
    sheet[:count, :height, :width] = images
    # [rows, columns, H, W, C] -> [rows * H, columns * W, C], less the last gaps.
    sheet = sheet.reshape(rows, columns, height + GAP, width + GAP, channels).transpose(
        0, 2, 1, 3, 4
    )
    sheet = sheet.reshape(rows * (height + GAP), columns * (width + GAP), channels)[:-GAP, :-GAP]
    return sheet[..., 0] if channels == 1 else sheet


def enlarged(image: np.ndarray, least: int) -> np.ndarray:
    """uint8 [H, W] at least `least` px wide, square and interpolated where it was narrower."""
    if len(image) >= least:
        return image
    return cv2.resize(image, (least, least), interpolation=cv2.INTER_CUBIC)


@styled
def labeled_grid(
    rows: list[tuple[str, np.ndarray]],
    path: str | os.PathLike,
    columns: list[str] | None = None,
    title: str = "",
    captions: dict[int, list[str]] | None = None,
) -> Path:
    """Draws one row of images per label, with the label at its left.

    Args:
        rows: [(label, images uint8 [N_i, H, W(, 1 or 3)])]; all images of one size, rows may differ
            in length.
        path: .png or .svg.
        columns: a heading for each column.
        title: above the sheet.
        captions: {row: what is written into the lower edge of each of its images}.
    """
    sheets = [(label, _as_images(images)) for label, images in rows]
    longest = max(len(images) for _, images in sheets)
    height, width = sheets[0][1].shape[1:3]
    # An image is about 0.9 inch wide, less where a long row would not fit a page.
    cell = min(0.9, 8.0 / longest)
    across = longest * cell
    down = len(sheets) * cell * height / width
    figure, axes = new_figure(
        across + 1.5, down + (0.25 if columns else 0) + (0.3 if title else 0) + 0.1
    )
    for row, (_, images) in enumerate(sheets):
        for column, image in enumerate(images):
            axes.imshow(
                np.broadcast_to(image, (*image.shape[:2], 3)),
                extent=(column + 0.015, column + 0.985, row + 0.985, row + 0.015),
                interpolation="nearest" if max(height, width) <= 128 else "antialiased",
            )
    for row, texts in (captions or {}).items():
        for column, text in enumerate(texts):
            place = (column + 0.5, row + 0.97)
            axes.text(*place, text, **CAPTION)
    axes.set(xlim=(0, longest), ylim=(len(sheets), 0))
    axes.set_aspect(height / width)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=4)
    axes.set_yticks([row + 0.5 for row in range(len(sheets))], [label for label, _ in sheets])
    axes.xaxis.tick_top()
    axes.set_xticks(
        [column + 0.5 for column in range(len(columns or ()))], columns or [], color=COLORS[4]
    )
    if title:
        axes.set_title(title, loc="left")
    return save(figure, path, tight=True)


def write_png(path: str | os.PathLike, image: np.ndarray) -> Path:
    """Writes uint8 or uint16 [H, W], [H, W, 1] or RGB [H, W, 3] atomically."""
    path = Path(path)
    data = encode_png(image)
    with atomic_path(path) as beside:
        beside.write_bytes(data)
    return path


def encode_png(image: np.ndarray) -> bytes:
    """A PNG of uint8 or uint16 [H, W], [H, W, 1] or RGB [H, W, 3]."""
    if image.dtype not in (np.uint8, np.uint16) or (
        image.ndim == 3 and image.shape[-1] not in (1, 3)
    ):
        raise ValueError(
            f"a PNG holds uint8 or uint16, gray or RGB, not {image.dtype} {image.shape}"
        )
    if image.ndim == 3 and image.shape[-1] == 3:
        image = image[..., ::-1]
    return cv2.imencode(".png", np.ascontiguousarray(image))[1].tobytes()


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """uint8 [H, W, C] reduced by a whole factor, by area, until no side is longer than `longest`
    pixels."""
    factor = math.ceil(max(image.shape[:2]) / longest)
    if factor == 1:
        return image
    rows, columns = (max(1, side // factor) for side in image.shape[:2])
    return reduce_by_area(image, rows, columns).reshape(rows, columns, -1)


def _as_images(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise ValueError(f"images must be uint8, not {images.dtype}")
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(
            f"images must be [N, H, W], [N, H, W, 1] or [N, H, W, 3] with N > 0, not {images.shape}"
        )
    return images
