"""The shapes of all figures, and the HTML page that holds them."""
