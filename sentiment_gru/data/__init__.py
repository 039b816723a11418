"""From a Hub id, folder or file to labelled texts under the split rule."""
