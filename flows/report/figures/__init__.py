"""Charts as Vega-Lite specifications; their colours are the page's CSS variables."""
