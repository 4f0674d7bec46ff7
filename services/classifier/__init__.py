"""Trains many classifiers over one pool of documents and predicts with them."""
