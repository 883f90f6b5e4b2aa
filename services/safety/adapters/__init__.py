"""What the judgement stands on: policies from files, phone numbers, the trained head of the injection classifier."""
