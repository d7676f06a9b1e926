"""The company folder: reviewed YAML, read with every problem named by file and line."""
