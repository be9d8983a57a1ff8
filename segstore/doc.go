// Package segstore keeps files that grow: what an encoder uploads can be read
// by any number of readers while it is still being uploaded.
//
// A [File] is an append-only row of immutable blocks under a view. The one
// goroutine that uploads stores a new view and then closes the channel of the
// view before it; readers load the view without a lock and, when they have
// read all of it, wait on its channel. A File goes through these states, only
// downwards:
//
//	state     brought about by        then legal                    bytes live in
//	Pending   Store.Await             Growing; dropped with the     nowhere
//	                                  last waiter
//	Growing   Store.Create            publish, Complete, Failed     blocks; past View.Size they
//	                                                                belong to the Writer
//	Complete  Writer.Close            reading                       blocks, or a file on disk
//	Failed    Writer.Abort            reading what was published,   blocks
//	                                  then the error
//
// Blocks are not counted: a [Store] evicts by forgetting a File, readers that
// hold it finish on their bytes, and the garbage collector frees them. A file
// that moves from memory to disk, or is uploaded again, becomes another File
// under the same name, so that a reader never sees bytes of two uploads.
//
// A patch makes such another File of the bytes that are there and those that
// are sent, and takes the name at its end, if the version is still the one that
// it began with.
//
// A [Store] maps names to Files, in memory or over a directory, knows which
// names are segments of one track, and evicts by number, by time-shift depth
// and by bytes.
package segstore
