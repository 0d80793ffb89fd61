"""Images to patches to batches."""
