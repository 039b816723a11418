"""What the quiz refuses, told to the learner."""


class SessionError(ValueError):
    """A step the quiz does not take, with a message fit for the learner."""


class TokenError(ValueError):
    """A token that no run can be resumed from, with a message fit for the learner."""
