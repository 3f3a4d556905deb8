"""Systems: networks with their loss, and how they are kept on disk."""
