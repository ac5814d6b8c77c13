"""OpenRTB 2.6 with its pods: requests read and checked, responses written."""
