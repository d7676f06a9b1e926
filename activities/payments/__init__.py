"""Payment providers: what clients pay on, and what they tell of it."""
