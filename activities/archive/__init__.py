"""What must be kept: proof that it is whole, export for the auditor, what may go and when."""
