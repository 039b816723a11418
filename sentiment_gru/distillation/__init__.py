"""Soft labels from teachers, by which a small model learns more than the labels say."""
