"""How the model reads a text: gates, running prediction, attributions, what-if.

`SentimentClassifier.explain`, `what_if` and `smallest_flip` are the doors.

Letters in shape comments: T tokens read, C labels, H hidden_size, D layers x directions, K points of a curve.
"""

from ..results import METHODS, Deletion, Explanation, Flip, Target, Token, WhatIf

__all__ = ["METHODS", "Deletion", "Explanation", "Flip", "Target", "Token", "WhatIf"]
