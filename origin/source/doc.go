// Package source gives each upload to an output and stores none of it:
// httpout's hmode=source. An output is a command's standard input, a named
// pipe, a file, standard output or another server.
//
// What an output may rely on:
//
//   - Bytes come as they are uploaded, in their order, from one upload only.
//   - An upload that broke off never looks whole. A command gets SIGTERM, with
//     all that it started, while its standard input is still open, and SIGKILL
//     if it is not gone 2 s later. A named pipe ends in mid-stream. A file keeps
//     its version before. A server sees the request break off. Standard output
//     has no sign of its own: there, and everywhere else too, the log tells.
//   - A command that ran for an upload is gone when the upload is, and so is
//     what it started, unless that left its process group.
//
// What a sender may rely on: success means that the output took all of it, and
// of a command that it ended well, of a server that it said so. An output that
// takes nothing for Timeout is cut, unless BlockIO has the sender wait.
//
// # One stream or many
//
// A command is started for each upload, and a directory and a server have a
// place for each name. But there is one named pipe, one file, one standard
// output: uploads take turns there, in the order of their arrival, and wait at
// most Timeout for it. So these are for one multiplexed stream, such as MPEG-TS
// in one long upload or in segments that are sent one after the other. A
// packager that sends several tracks at once (ffmpeg -f dash) would have its
// tracks wait for each other, and get ErrBusy where they overlap for longer.
//
// A reader of a named pipe needs one stream where an encoder sends segments, and
// an end where one upload is all. So the pipe stays open after a whole upload
// for twice as long as the upload took: at least 2 s, or 10 s if its name is
// that of an init segment, a segment or a part, and at most 30 s. If no other
// upload has begun by then the reader sees the end.
//
// # Commands
//
// A command is started as it is given, without a shell. In its arguments, but
// not in its own name, {name} stands for the upload's name, {ext} for the name's
// extension without the dot and {type} for the media type. The environment has
// these as HEADWATER_NAME, HEADWATER_EXT and HEADWATER_TYPE; HEADWATER_LENGTH is
// the length in bytes, or empty if it is not announced, and HEADWATER_PEER who
// sends. An upload is refused with ErrName where its name would turn an argument
// into an option, that is, put a hyphen at its beginning. What the command prints
// goes to the log, line by line. After the upload's end it may run on for 30 s,
// or with BlockIO for as long as it likes.
//
// # Files
//
// While NAME is being uploaded it grows under the name NAME.part in the same
// directory, for those who want the bytes as they come. It gets its own name
// when it is whole, and is removed when it broke off.
package source
