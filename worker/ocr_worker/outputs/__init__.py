"""Searchable PDF, text, JSON, hOCR and ALTO, all from one result model."""
