"""Pictures of every page for the tour: `make screens`."""
