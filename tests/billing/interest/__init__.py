"""Tests of interest on late payment: worked cases, tables, properties."""
