// Package folder follows a directory that a packager writes to, and puts its
// files into a store while they grow, as if they had been uploaded.
//
// One goroutine, the loop in [Folder.Run], owns all that is known of the
// directory: it takes the events of the file system and says what is followed.
// Events only tell it where to look: what is on disk decides, so that events
// may be lost, late or twice. Each file that is followed has a goroutine of its
// own that reads it and feeds one upload. A file ends in one of these ways:
//
//	written in place    nobody has it open for writing any more (a lease tells)   whole
//	                    no leases here, and no growth for Options.Quiet           whole
//	                    as above, but cut within an MP4 fragment or TS packet     failed
//	NAME.tmp            renamed to NAME: as above, but needs no Quiet             whole
//	                    deleted, or left by its writer for Options.Quiet          failed
//	either              shrunk, replaced, or changed behind its end               failed, taken anew
//
// A file that a killed writer left under its own name is found out unless it
// ends just between two fragments or packets; one that is written as NAME.tmp is
// found out always.
//
// What becomes whole was read a second time and found the same, so that a
// complete file in the store is the file on disk. Manifests never grow: once
// their writer has closed them they are read and put into the store in one go,
// after the files that were found before them. Nothing is published before its
// first byte. What is deleted on disk is deleted in the store.
//
// Files are opened below the directory only. A symbolic link is never followed,
// wherever it leads: what it leads to can change without an event.
package folder
