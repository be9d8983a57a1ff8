package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/headwater-origin/headwater/origin"
)

// mountFlags make one mount. Beside --rdirs and --wdir they have the names and
// the defaults of the keys in a configuration file.
type mountFlags struct {
	RDirs string `name:"rdirs" placeholder:"DIR" help:"Directory to serve, or gmem for memory. Without it: gmem, with --write."`
	WDir  string `name:"wdir" placeholder:"DIR" help:"Directory to take uploads in: the one of --rdirs."`
	Write bool   `help:"Take uploads (PUT, POST, DELETE)."`

	Path          string          `default:"${path}" placeholder:"PATH" help:"URL path of the mount (${default})."`
	WriteFrom     []string        `default:"${write_from}" placeholder:"PEER" help:"Who may upload: addresses, CIDR prefixes, loopback, any (${default})."`
	MaxCacheSegs  int             `default:"${max_cache_segs}" placeholder:"N" help:"Segments kept per track (${default})."`
	MaxBytes      origin.Size     `default:"${max_bytes}" placeholder:"SIZE" help:"Memory of the mount; 0: no bound of its own (${default})."`
	MaxS          origin.Size     `name:"maxs" default:"${maxs}" placeholder:"SIZE" help:"Largest upload; 0: any (${default})."`
	Policy        origin.Policy   `default:"${policy}" placeholder:"POLICY" help:"Which of two uploads of one name is kept: overwrite, first-wins, first-complete-wins (${default})."`
	Sync          bool            `help:"Make a file durable before its upload is answered."`
	HoldTimeout   origin.Duration `default:"${hold_timeout}" placeholder:"TIME" help:"How long a GET for the next file of a living track waits; 0: not (${default})."`
	UploadTimeout origin.Duration `default:"${upload_timeout}" placeholder:"TIME" help:"Cut an upload that sends nothing for so long (${default})."`
	ViewerTimeout origin.Duration `default:"${viewer_timeout}" placeholder:"TIME" help:"Cut a viewer that takes nothing for so long (${default})."`
	MaxLag        origin.Size     `default:"${max_lag}" placeholder:"SIZE" help:"Cut a viewer of a growing file that is so far behind; 0: never (${default})."`
	CORS          origin.CORS     `name:"cors" default:"${cors}" placeholder:"WHEN" help:"Let pages of other origins read: auto, on, off (${default})."`
	ConcatRanges  bool            `help:"Answer several ranges with their bytes only, as httpout does."`

	CacheControl cacheFlags `embed:"" prefix:"cache-control-"`
}

// cacheFlags are Cache-Control values by kind of answer; none sends no header.
type cacheFlags struct {
	Manifest string `placeholder:"VALUE" help:"Cache-Control of manifests; none: no header."`
	Segment  string `placeholder:"VALUE" help:"The same, of segments."`
	Init     string `placeholder:"VALUE" help:"The same, of init segments."`
	Growing  string `placeholder:"VALUE" help:"The same, of files still being uploaded."`
	Other    string `placeholder:"VALUE" help:"The same, of other files."`
	Future   string `placeholder:"VALUE" help:"The same, of 404 for files to come."`
	Evicted  string `placeholder:"VALUE" help:"The same, of 404 for files that were there."`
	Never    string `placeholder:"VALUE" help:"The same, of 404 for other names."`
}

// mount returns the mount that the flags make.
func (f *mountFlags) mount(g given) (origin.Mount, error) {
	store, write, err := f.store(g)
	if err != nil {
		return origin.Mount{}, err
	}
	return origin.Mount{
		Path:          f.Path,
		Store:         store,
		Write:         write,
		WriteFrom:     f.WriteFrom,
		MaxCacheSegs:  f.MaxCacheSegs,
		MaxBytes:      f.MaxBytes,
		MaxUpload:     f.MaxS,
		Policy:        f.Policy,
		Sync:          f.Sync,
		HoldTimeout:   f.HoldTimeout,
		UploadTimeout: f.UploadTimeout,
		ViewerTimeout: f.ViewerTimeout,
		MaxLag:        f.MaxLag,
		CORS:          f.CORS,
		ConcatRanges:  f.ConcatRanges,
		CacheControl:  origin.CacheControl(f.CacheControl),
	}, nil
}

// store returns what --rdirs, --wdir and --write mean together. A combination
// that would not be what httpout makes of it is refused.
func (f *mountFlags) store(g given) (store string, write bool, err error) {
	switch {
	case g.has("rdirs") && f.RDirs == "":
		return "", false, errors.New("--rdirs: names no directory")
	case g.has("wdir") && f.RDirs == "":
		return "", false, fmt.Errorf("--wdir: a directory that is written only cannot be served yet; add --rdirs %s to let it be read too", f.WDir)
	case g.has("wdir") && filepath.Clean(f.WDir) != filepath.Clean(f.RDirs):
		return "", false, fmt.Errorf("--wdir: %s is not the directory of --rdirs, %s; reading one and writing another cannot be done yet", f.WDir, f.RDirs)
	case g.has("wdir") && g.has("write") && !f.Write:
		return "", false, errors.New("--wdir: contradicts --write=false")
	}
	store = f.RDirs
	if store == "" {
		store = origin.GMem
	}
	write = f.Write || g.has("wdir") || !g.has("rdirs") && !g.has("write")
	if store == origin.GMem && !write {
		return "", false, errors.New("--rdirs: nothing could ever be in gmem without --write")
	}
	return store, write, nil
}
