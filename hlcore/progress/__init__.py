"""Progress bars in the terminal, and stopping with Ctrl-C; each module imports only what its commands need."""
