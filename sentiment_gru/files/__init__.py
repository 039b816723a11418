"""Files of texts in, scored files out: tables read and written in six formats, row by row."""
