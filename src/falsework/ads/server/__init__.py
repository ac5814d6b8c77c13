"""The decision server: OpenRTB, VAST and beacons over HTTP, answered within a deadline."""
