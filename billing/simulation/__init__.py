"""Simulation: what would be billed, asked, sent and reminded, and when; by the rules that bill, and with no effect."""
