"""The report of a study or an audit: tidy tables in, one HTML page and its Markdown twin out."""
