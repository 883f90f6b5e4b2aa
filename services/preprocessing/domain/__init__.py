"""What may be asked, in which form, and how much of it fits: pure decisions."""
