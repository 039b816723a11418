"""Read labelled texts from a Hub id, folder or file, and divide them by the split rule."""

from ..errors import check_extra

check_extra("Reading datasets", "train", "datasets")
