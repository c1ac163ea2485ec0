//! What Offpeak promises, a module for each, shown with the real server, real engines and the real ffmpeg.

mod sources_are_made;
