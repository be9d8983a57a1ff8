// Package e2e drives the built headwater binary with the programs people use
// with it: ffmpeg pushes and plays, ffprobe looks, curl speaks HTTP/1.1, HTTP/2
// and h2c, and raw sockets do what no polite client does.
//
// It promises that a figure or a byte it reports owes nothing to the code under
// test: it imports none of the project's packages, what an encoder sent is read
// from a recording relay in front of the origin, and what viewers got is read
// from bare sockets. Bounds in time are shares of a segment's duration or the
// order of events, so that they hold on a loaded machine.
//
// The binary is built once per run. Two environment variables change how:
//
//	E2E_RACE=1      build it with the race detector
//	E2E_BINARY=path drive this binary instead of building one
//
// A test that needs a program which is not installed fails with one line that
// names the Debian package. No test is skipped.
package e2e
