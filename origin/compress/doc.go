// Package compress makes text files smaller on the wire. A version of a file is
// compressed once for each coding, however many ask for it at the same time:
// the first does it, the others wait for that. What comes out is kept within a
// bound of bytes, and so is the fact that a file does not get smaller. No more
// than two compressions run at a time, and the package starts no goroutine.
//
// The codings are those of HTTP (RFC 9110 section 8.4.1): zstd (RFC 8878), gzip
// (RFC 1952), and deflate, which is the zlib format (RFC 1950).
package compress
