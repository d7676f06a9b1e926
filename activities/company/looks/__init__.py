"""The folder `templates/` of a company: looks of its documents, with their files, checked by what is in them."""
