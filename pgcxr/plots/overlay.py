"""Heat and difference maps laid over radiographs (thesis Figures 10, 11, 14 and 15). RGB, uint8."""

import cv2
import numpy as np


def overlay(
    image: np.ndarray,
    heat: np.ndarray,
    alpha: float = 0.6,
    limits: tuple[float, float] | None = None,
) -> np.ndarray:
    """A heat map over a gray image: cold stays gray, hot turns yellow over dark red ("inferno").

    Args:
        image: uint8 [H, W] or [H, W, 1].
        heat: float [h, w], resized to the image; NaN counts as coldest.
        alpha: opacity of the hottest place.
        limits: (coldest, hottest), the same for maps that are to be compared; else the map's own
            least and greatest.

    Returns:
        uint8 [H, W, 3].
    """
    gray = _gray(image)
    heat = _resized(heat, gray.shape)
    low, high = limits if limits is not None else (float(heat.min()), float(heat.max()))
    strength = np.clip((heat - low) / (high - low), 0, 1) if high > low else np.zeros_like(heat)
    colors = cv2.applyColorMap(np.rint(strength * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[
        ..., ::-1
    ]
    return _blend(gray, colors, alpha * strength)


def diff_overlay(
    image: np.ndarray, difference: np.ndarray, limit: float | None = None, alpha: float = 0.85
) -> np.ndarray:
    """A signed difference over a gray image: red where the query is brighter than its
    reconstruction, else blue.

    Args:
        image: uint8 [H, W] or [H, W, 1].
        difference: float [h, w], query minus reconstruction, resized to the image; NaN counts as 0.
        limit: the difference at full color; else the 99.5th percentile of its size.
        alpha: opacity at `limit`.

    Returns:
        uint8 [H, W, 3].
    """
    gray = _gray(image)
    difference = _resized(difference, gray.shape)
    if limit is None:
        limit = float(np.percentile(np.abs(difference), 99.5))
    strength = np.clip(difference / limit, -1, 1) if limit > 0 else np.zeros_like(difference)
    # Red and blue of one lightness, told apart by color-blind readers.
    red, blue = np.array([222, 45, 38]), np.array([33, 113, 240])
    colors = np.where(strength[..., None] > 0, red, blue)
    return _blend(gray, colors, alpha * np.abs(strength))


def outline(
    rgb: np.ndarray, mask: np.ndarray, color: tuple[int, int, int] = (86, 224, 120)
) -> np.ndarray:
    """`rgb` uint8 [H, W, 3] (or gray [H, W]) with the border of a mask [h, w] (> 0.5 inside) drawn
    on a copy."""
    rgb = np.ascontiguousarray(
        rgb if rgb.ndim == 3 and rgb.shape[-1] == 3 else _gray(rgb)[..., None].repeat(3, -1)
    )
    inside = (_resized(mask, rgb.shape[:2]) > 0.5).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(rgb.copy(), contours, -1, color, max(1, rgb.shape[0] // 256))


def _gray(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    image = image[..., 0] if image.ndim == 3 else image
    if image.dtype != np.uint8 or image.ndim != 2:
        raise ValueError(
            f"the image under a map must be uint8 [H, W], not {image.dtype} {image.shape}"
        )
    return image


def _resized(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    values = np.nan_to_num(np.asarray(values, np.float32).squeeze(), nan=0.0)
    if values.shape == shape:
        return values
    return cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _blend(gray: np.ndarray, colors: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    opacity = opacity[..., None]
    return np.rint(gray[..., None] * (1 - opacity) + colors * opacity).astype(np.uint8)
