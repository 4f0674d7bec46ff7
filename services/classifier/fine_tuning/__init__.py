"""Fine-tuning a transformer, part by part: checkpoint, tokens, network, batches, loop, what resumes it."""
