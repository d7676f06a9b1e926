"""The effects: one folder a capability, one file a provider; `files` is the embedded default."""
