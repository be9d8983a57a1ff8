// Package push sends files on to other servers while they grow: what comes
// into a store goes out with PUT or POST as its bytes come, and what is deleted
// goes out as DELETE.
//
// A push is a reader whose far end is another server. A [Pusher] observes a
// store and opens a reader of each upload for each [Destination]; bytes go from
// the file's blocks to the connection without a copy kept here. Destinations
// share nothing but the files: one that is slow or dead costs the others
// nothing.
//
// What a destination may rely on:
//
//   - A body that ends is whole. An upload that broke off at the source breaks
//     off there, too (no last chunk, or a reset stream).
//   - Of one name there is one request at a time, and the newest version comes
//     last. A version that was still waiting when a newer one came is not sent.
//   - A manifest is sent once it is complete, after the files that were complete
//     before it.
//
// What failed is sent anew from its first byte after a pause that doubles from
// 100 ms to 5 s, for as long as it matters: a segment until more than MaxBehind
// newer ones of its track have come (it is skipped then, so that the live edge
// goes first), all else while it grows and for a minute after that. When a
// destination comes back from a broken connection, or has closed one that was in
// use a moment ago, the init segments and manifests are sent again, since it may
// have lost them. What a refusal (4xx) says will not change by asking again; it
// is counted, and logged once a minute.
//
// Redirects (307, 308) are followed, without credentials to another host. A
// growing file that was redirected in its middle begins anew at the new place;
// from then on the server is asked before a body is sent.
package push
