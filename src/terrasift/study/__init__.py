"""The ablation study: what to run, the published figures, and how ours compare."""
