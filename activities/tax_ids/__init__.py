"""Tax ids: registers that are asked whether they are valid; one file a register."""
