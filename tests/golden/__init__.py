"""Golden documents: what every document looked like when somebody last looked at it and found it good."""
