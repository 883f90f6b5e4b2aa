"""What inference does with a turn: answer it, or score its labels; once, with a stream, within its deadline."""
