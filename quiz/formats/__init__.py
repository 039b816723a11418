"""Questions from and to other systems: Moodle XML and GIFT, which most learning platforms read.

`question` holds what both formats can say; `outgoing` and `incoming` map it to a bank's items, `text` the Markdown.
What has no field there is listed, never dropped in silence.
"""
