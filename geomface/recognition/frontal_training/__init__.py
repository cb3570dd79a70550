"""How the embedder is trained: labelled pictures, the loss, the steps."""
