// Package manifest reads what MPDs and playlists say of a stream.
//
// It is pure: bytes in, facts out. Nothing of a manifest is trusted: what cannot
// be read is an error, never a panic, and no length in it becomes memory.
//
// Names are those of a store: paths with slashes and none in front. What a
// manifest names outside of its own server (another host, a path that climbs out)
// is left out.
package manifest
