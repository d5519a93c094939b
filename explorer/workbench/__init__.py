"""What a hand does: workspace, moves, undo, links. No screen in here."""
