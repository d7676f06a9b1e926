"""Documents: how an invoice looks, whether it can be printed, where its bytes are kept."""
