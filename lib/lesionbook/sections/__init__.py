"""Parts that the reports of all models share; each function shows figures and tables in the notebook that calls it."""
