"""Explanations of a verdict: gates, running prediction, attributions and what-if.

The entry points are `SentimentClassifier.explain`, `what_if` and `smallest_flip`.

Letters in shape comments: T tokens read, C labels, H hidden_size, D layers x directions, K points of a curve.
"""

from ..results import METHODS, Deletion, Explanation, Flip, Target, Token, WhatIf

__all__ = ["METHODS", "Deletion", "Explanation", "Flip", "Target", "Token", "WhatIf"]
