"""The helpers that authors of channels use: authentication, responses, results, items, gradebook, texts."""
