"""`falsework bench search`: how well and how fast a catalogue is searched, beside what is plain."""
