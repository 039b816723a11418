"""Proofs of the answer bank's keys: each key is derived, and each distractor refuted, by running the cell in question.

    proof = prove(item)
    proof.proved  # whether exactly the answers of the key hold
    print(proof.trace)

Each topic has a module of checks, such as `quiz.proofs.gating`. A check measures quantities of a cell and does not
know the options. The `claim` of an option is a formula over these quantities, which `quiz.proofs.expressions`
evaluates. Importing this package does not import torch.
"""

from .expressions import Measurement, MissingPartError, NotInstalledError
from .runner import Proof, ProofError, Run, Verdict, prove

__all__ = ["Measurement", "MissingPartError", "NotInstalledError", "Proof", "ProofError", "Run", "Verdict", "prove"]
