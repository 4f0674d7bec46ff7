"""Text to numbers: encoders, TF-IDF counts, latent semantics and the feature store."""
