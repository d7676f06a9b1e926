"""Tests of the tax rules: worked cases, tables, properties."""
