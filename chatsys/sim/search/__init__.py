"""The machinery of `explore`: one step of one node, numbers for what was met, and the chat as a model."""
