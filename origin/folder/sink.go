package folder

import "github.com/headwater-origin/headwater/segstore"

// target is what the package asks of a Sink.
type target interface {
	create(name string, at segstore.Arrival) (upload, error)
	delete(name string) error
}

// upload is one version of a file on its way into the target. Exactly one of
// Close and Abort ends it.
type upload interface {
	Write(p []byte) (int, error)
	Close() error
	Abort(reason error)
}

// storeTarget makes a target of a Sink.
type storeTarget struct{ sink Sink }

func (t storeTarget) create(name string, at segstore.Arrival) (upload, error) {
	w, err := t.sink.Create(name, segstore.Head{Length: -1, Arrival: at})
	if err != nil {
		return nil, err // not w: a nil *Writer would be an upload
	}
	return w, nil
}

func (t storeTarget) delete(name string) error { return t.sink.Delete(name) }
