"""What late payment costs: interest by law, fixed compensation, late fees by contract. Never on an issued invoice."""
