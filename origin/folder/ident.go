package folder

import "io/fs"

// ident tells one content of a file from another. The zero value is that of no
// file.
type ident struct {
	inode   uint64 // 0 where the system has none
	size    int64
	modTime int64 // in nanoseconds
}

func identOf(info fs.FileInfo) ident {
	return ident{inode: inodeOf(info), size: info.Size(), modTime: info.ModTime().UnixNano()}
}

// continues reports that a file may be what was seen as before, further written.
func (i ident) continues(before ident) bool {
	return before != ident{} && i.inode == before.inode && i.size >= before.size
}

// writerState is what the system tells of who has a file open for writing.
type writerState int

const (
	writerUnknown writerState = iota
	writerPresent
	writerAbsent
)
