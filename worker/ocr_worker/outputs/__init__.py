"""Writers of searchable PDF, text, JSON, hOCR and ALTO, all from one model of a page."""
