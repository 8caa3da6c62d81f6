"""From an executed notebook to what people read: HTML, PDF and the index over all reports."""
