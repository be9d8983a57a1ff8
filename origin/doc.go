// Package origin is the HTTP side of Headwater: it takes segments from
// encoders while they are being made and gives them to viewers at once.
//
// A request is answered by a value. What a request gets is decided without
// touching its connection: a request (method, path, headers, peer) goes in, a
// reply (status, headers, and a body that is described, not streamed) comes
// out; errors become replies in one place. A lane then writes the reply. The
// lane here is net/http's, for HTTP/1.1 and HTTP/2, plain and over TLS; on a
// plain HTTP/1.1 connection it writes growing files to the bare socket, one
// write per chunk, and hands the connection back afterwards.
//
//	listener -> lane -> Server.answer -> mount -> ingest | egress -> reply -> lane
//
// A broken upload is never passed on as whole: over HTTP/1.1 its readers'
// connections close without the last chunk, over HTTP/2 their streams are
// reset.
package origin
