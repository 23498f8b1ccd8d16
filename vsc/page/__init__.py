"""A trace as a page: one HTML file that needs no network, for whoever would rather look than read.

`document` makes it. What it says in words is made here, in Python, from the same sources as the text of a trace
(`vsc.trace`: `summary`, `probe`, `decoder`, `explain`): `data` is all of it, as one JSON value inside the page. The
front end beside it is plain JavaScript and CSS, as it is shipped: nothing is compiled. It puts text into the page as
text only, so no log can bring markup, and the page's own policy lets nothing run but these scripts and nothing load.
"""

from vsc.page.document import document, write

__all__ = ["document", "write"]
