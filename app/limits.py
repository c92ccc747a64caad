"""Limits of one server.

.streamlit/config.toml has two more limits: the size of an upload, and of cached data. docs/server.md lists them all.
"""

SIDES = (512, 768, 1024, 2048)
"""Longest sides in px at which an image can be analysed; 2048 px take about 1.5 GB of memory."""
MAX_IMPORTED_PX = 4096
"""Longest side in px at which an imported image is shown; larger ones are scaled down with their maps."""
WAIT_S = 120
"""Seconds that a session waits for its turn to run a network."""
