"""Terms of training objectives, one module a loss; each names the paper that it comes from."""
