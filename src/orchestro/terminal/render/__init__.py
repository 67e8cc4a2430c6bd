"""Drawing a screen as a picture: `palette` the colours."""
