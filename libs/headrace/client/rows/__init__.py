"""Rows of a file of texts, each good or bad by itself: JSONL, CSV and Parquet."""
