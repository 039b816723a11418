"""Read, score and write tables of texts in six formats, row by row."""
