"""What an experiment leaves behind: frames, files, and what is needed to do it again."""
