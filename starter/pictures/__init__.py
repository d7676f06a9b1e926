"""Pictures: what figures look like, as SVG that stands on its own."""
