#!/bin/sh
# Makes video.mp4 and audio.mp4: 8 s that can be looped without a seam.
# Needs ffmpeg with libx264 and drawtext (Debian: apt-get install ffmpeg).
set -eu
cd "$(dirname "$0")"

# 200 frames in 8 closed groups of 25. No B-frames: a frame can be sent as
# soon as it is there.
ffmpeg -v error -y -f lavfi -i "testsrc2=size=640x360:rate=25,drawtext=text='%{pts\:hms}':font=monospace:fontsize=40:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8:x=(w-tw)/2:y=h-th-24" \
	-frames:v 200 -pix_fmt yuv420p -c:v libx264 -profile:v high -preset veryslow -tune zerolatency -crf 30 \
	-g 25 -keyint_min 25 -sc_threshold 0 -bf 0 -threads 1 -flags +cgop+bitexact -fflags +bitexact \
	-bsf:v filter_units=remove_types=6 -video_track_timescale 90000 \
	-movflags +cmaf+empty_moov+default_base_moof+frag_keyframe -f mp4 video.mp4

# The tone repeats every second, so 24 s of it are three times the same 8 s.
# Of these the middle 375 packets are kept. Packet 0 only primes the decoder,
# so packet 376 holds the sound of second 8. The packet that follows the last
# one kept was coded from the same sound as the first one: the loop has no
# click, and no priming that would come again each time round.
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
ffmpeg -v error -y -f lavfi -i "sine=frequency=300:beep_factor=4:sample_rate=48000" -t 24 -ac 2 \
	-c:a aac -b:a 64k -flags +bitexact -f matroska "$tmp"
ffmpeg -v error -y -f matroska -i "$tmp" -c:a copy \
	-bsf:a "noise=drop='lt(n,376)+gte(n,751)',setts=ts=N*1024:duration=1024:time_base=1/48000" -fflags +bitexact \
	-movflags +cmaf+empty_moov+default_base_moof -frag_duration 1000000 -f mp4 audio.mp4
