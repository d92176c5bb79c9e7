"""What several scripts share: workflows of a bundle, logged commands, Markdown."""
