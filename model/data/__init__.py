"""What models learn from: corpora, pairs, pictures and sounds."""
