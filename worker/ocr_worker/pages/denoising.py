"""What the option `denoise` means."""

from __future__ import annotations

from dataclasses import replace

from ocr_worker.engines.images import filters, specks
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.model.option_words import Switch

SPECKLED_SHARE = 0.002
"""Of a page. Real scans have half of it at most, clean ones a twentieth; peppered and speckled ones 0.003 to 0.015."""


SMALL_PRINT_PX = 22
"""Lines that are lower have full stops as small as specks: 9 points at 150 dpi lost them."""


def denoised(image: GreyImage, denoise: Switch) -> GreyImage:
    """A page of dark ink without its specks. See docs/decisions/0209."""
    picture = image.picture
    match denoise:
        case "auto":
            if specks.speck_share(picture) < SPECKLED_SHARE or 0 < row_height(picture) < SMALL_PRINT_PX:
                return image
            return replace(image, picture=specks.without_specks(picture))
        case "on":
            return replace(image, picture=filters.remove_speckles(picture))
        case "off":
            return image
