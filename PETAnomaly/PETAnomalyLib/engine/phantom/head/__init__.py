"""Head and neck. May use: canvas, patient and the envelope of frame; `brain` only the first two."""
