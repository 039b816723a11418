"""Import and export of questions in Moodle XML and GIFT, which most learning platforms read.

`question` holds what both formats can express, `moodle` and `gift` read and write files, `convert` maps questions to a
bank's items and back, and `markup` converts texts. Whatever a format has no place for is reported.
"""
