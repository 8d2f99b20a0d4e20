"""Small programs that stand for systems of a municipality. Each runs alone and knows nothing of the kiosk's code."""
