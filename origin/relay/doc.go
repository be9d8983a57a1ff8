// Package relay gives an input that never ends to whoever is connected:
// httpout's server sink.
//
// A [Relay] opens its [Input], cuts what comes into frames and publishes them
// as a row that only ever grows at its newer end. A [Listener] holds nothing but
// a place in that row; it takes no lock and copies no byte. What listeners may
// rely on:
//
//   - Nobody gets half a frame. A listener begins at a clean frame, with its
//     header, and after a break of the input it goes on at the first clean
//     frame of the next connection, with that connection's header.
//   - One listener's slowness costs the others nothing: who lies further behind
//     than MaxAsyncBuf is cut, unless BlockIO has the input wait for it.
//   - A clean end (io.EOF) means that the input ended well. What failed or was
//     stopped ends with an error.
//
// The row is an immutable view behind an atomic pointer. Publishing appends to
// it, stores the new view and closes the old one's channel: the cost does not
// depend on the listeners but for waking them. Of the past it keeps what a
// listener may lie behind and, for formats that have headers, what came since
// the newest clean frame, as long as that is at most 2 MiB (or MaxAsyncBuf, if
// that is more): a viewer who joins begins there. For other formats a viewer
// begins at the next frame.
//
// An input's life:
//
//	wait (hold, or a file's next listener) -> open -> pump -> end
//	  ^                                                         |
//	  +---- sockets, FIFOs, commands, uploads: with back-off ---+--> over
package relay
