"""Detail mode: find the subject in a small view, then look at it again from close by."""

from __future__ import annotations

from .predict import DETAILS, Detail, InDetail, predict_in_detail

__all__ = ["DETAILS", "Detail", "InDetail", "predict_in_detail"]
