"""What one client may ask of the site, so that the others are answered: rates, sizes, times.

Nothing here knows the chain. ``door`` stands before everything else; ``tolls`` stand before the routes whose answers
have to be made; ``charge`` is for handlers that learn only from the question how much it costs.
"""
