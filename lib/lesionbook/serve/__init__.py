"""The prediction page and its API: the best network of a study answers for images it has never seen."""
