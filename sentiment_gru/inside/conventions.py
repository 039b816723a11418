"""The ways of writing a GRU: which state a large z means, and on which side of the matrix product r stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Convention:
    """How one source writes the GRU.

    Attributes:
        name: short, as in a link.
        title: as a reader knows it.
        z_keeps: whether h' is z h + (1 - z) n, rather than (1 - z) h + z n.
        reset_after: whether the candidate sees r * (U h + c), rather than U (r * h) + c.
        source: where that is written.
    """

    name: str
    title: str
    z_keeps: bool
    reset_after: bool
    source: str

    @property
    def keep_share(self) -> str:
        """The factor of the old state, as the source writes it."""
        return "z" if self.z_keeps else "1 − z"

    @property
    def write_share(self) -> str:
        """The factor of the candidate, as the source writes it."""
        return "1 − z" if self.z_keeps else "z"


PYTORCH = Convention("pytorch", "PyTorch", True, True, "documentation of torch.nn.GRU")
CHO = Convention("cho2014", "Cho et al. 2014", True, False, "arXiv 1406.1078, version 3, section 2.3")
CHUNG = Convention("chung2014", "Chung et al. 2014", False, False, "arXiv 1412.3555, section 3.2")
CONVENTIONS = {convention.name: convention for convention in (PYTORCH, CHO, CHUNG)}
