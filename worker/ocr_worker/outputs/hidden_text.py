"""Takes an older invisible text layer (render mode 3) off a page, and leaves everything else of it alone."""

from __future__ import annotations

import pikepdf

from ocr_worker.outputs.content_filter import ContentFilter, Rule


def strip_hidden_text(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Rewrite the page's content, and the forms it draws, without text that is shown invisibly."""
    ContentFilter(pdf, Rule(hidden_text=True)).clean(page)
