"""Neural networks that map inputs to posteriors."""
