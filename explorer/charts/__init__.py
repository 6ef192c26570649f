"""Series -> SVG: charts that need no script, drawn on the server. Knows numbers and names, not what they mean."""
