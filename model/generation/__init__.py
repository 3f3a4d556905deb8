"""From embeddings to pictures and sound: decoded inputs, paths between them, and the voice of a filterbank."""
