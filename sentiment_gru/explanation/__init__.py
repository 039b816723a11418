"""Explanations of a verdict: gates, running prediction, attributions and what-if.

The entry points are `SentimentClassifier.explain`, `what_if` and `smallest_flip`.

Letters in shape comments: T tokens read, C labels, H hidden_size, D layers x directions, K points of a curve.
"""

from ..errors import check_extra
from ..results import METHODS, Deletion, Explanation, Flip, Target, Token, WhatIf

check_extra("Explaining", "explain", "torch", "captum")

__all__ = ["METHODS", "Deletion", "Explanation", "Flip", "Target", "Token", "WhatIf"]
