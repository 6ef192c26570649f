"""One module per subject: async functions of a fenced ``View``, returning the frozen objects of ``results``.

No HTTP and no HTML here; the API and the pages show the same objects, so they cannot disagree.
"""
