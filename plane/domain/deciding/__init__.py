"""Step 7 of the flow: what to do about an app now, and the sentence that explains it."""
