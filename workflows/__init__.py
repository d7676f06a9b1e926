"""The story: when what happens to an invoice. Deterministic; knows the rules' values and the effects' interfaces."""
