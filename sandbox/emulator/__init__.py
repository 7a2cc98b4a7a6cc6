"""What the Zalo and the Messenger emulator share: clock, timers, webhook delivery, transcripts, faults, files."""
