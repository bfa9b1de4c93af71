"""ONNX Runtime, which is imported from here alone: with nothing told to its maker, and no trace left."""

from __future__ import annotations

import os

# Whatever the environment says: it would name this machine in a file of the user's cache, and send what it does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
