"""The words of documents and mails in the client's language: gettext catalogues, English being the source."""
