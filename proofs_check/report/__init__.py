"""What people read: tables on the terminal and in the README, and the page."""
