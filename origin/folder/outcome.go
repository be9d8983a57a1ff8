package folder

import "errors"

// how says in which way a follower ended.
type how int

const (
	ended      how = iota // told to, or the file has gone
	taken                 // whole in the store
	empty                 // no bytes and no writer
	broken                // not whole, and nobody writes on
	refused               // by the store
	anew                  // to be followed from its beginning again
	unreadable            // the system does not let it be read
)

// outcome is how a follower ended.
type outcome struct {
	how  how
	err  error  // why; of taken, that the store was not able to keep it
	seen ident  // the content that it saw; zero if it saw none
	sum  digest // of a whole one that was taken
}

// digest tells contents of manifests apart.
type digest struct {
	sum  uint64
	size int64
}

// refusal is an error of the store.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// errStopped ends a read because the follower has to stop.
var errStopped = errors.New("no longer followed")
