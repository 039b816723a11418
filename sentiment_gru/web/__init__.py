"""The frame around the tabs: how the page looks, and what it does when a handler fails."""
