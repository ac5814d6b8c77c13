"""HTTP Live Streaming: breaks found in playlists, offered as interstitials or stitched in."""
