"""The few exceptions this package raises on purpose; each message names the fault and, where it can, the remedy."""


class SentimentError(Exception):
    """Base of every error that is about the user's input rather than about our code."""


class CheckpointError(SentimentError):
    """A checkpoint folder or Hub id that cannot be loaded; the message names the file and the fault."""


class DatasetError(SentimentError):
    """A dataset, split, column or label that cannot be used; the message lists what is there."""


class FileError(SentimentError):
    """A file of texts that cannot be read or written; the message names the fault and, where it can, the remedy."""


class InputError(SentimentError):
    """A text that is not a text, such as None or a number."""


class OptionsError(SentimentError):
    """Training options that contradict each other; the message names them."""


class StorageError(SentimentError):
    """A file or folder of a training that cannot be written; the message says what is kept."""
