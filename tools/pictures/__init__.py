"""Pictures of the kiosk, and the reference page of its screens, from invented sample screens."""
