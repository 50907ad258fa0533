"""What the window is about, without Qt: the engine it looks at, who is fed when, what can be asked for."""
