package main

import (
	"github.com/headwater-origin/headwater/origin"
)

// mountFlags make one mount. Beside --rdirs and --wdir they have the names and
// the defaults of the keys in a configuration file.
type mountFlags struct {
	RDirs []string `name:"rdirs" placeholder:"DIR" help:"Directories to serve, gmem for memory, or rule files. One is served at --path, several below it by their names. Without it: gmem, with --write."`
	WDir  string   `name:"wdir" placeholder:"DIR" help:"Directory to take uploads in. It is read, too, only if --rdirs has it."`
	Read  bool     `default:"true" negatable:"" help:"Serve what is there (${default})."`
	Write bool     `help:"Take uploads (PUT, POST, DELETE)."`

	Path          string          `default:"${path}" placeholder:"PATH" help:"URL path of the mount (${default})."`
	WriteFrom     []string        `placeholder:"PEER" help:"Who may upload: addresses, CIDR prefixes, loopback, any (loopback; any with --wu, --wg or --client-cert)."`
	RU            []string        `name:"ru" placeholder:"USER" help:"Users who may read; $$ALL, $$NONE."`
	RG            []string        `name:"rg" placeholder:"GROUP" help:"Groups that may read."`
	WU            []string        `name:"wu" placeholder:"USER" help:"Users who may write."`
	WG            []string        `name:"wg" placeholder:"GROUP" help:"Groups that may write."`
	ClientCert    bool            `help:"Take uploads with a certificate of --client-ca only."`
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
	NoRange       bool            `name:"norange" help:"Ignore Range on GET."`
	CTE           bool            `name:"cte" default:"true" negatable:"" help:"Send files while they grow (${default})."`
	DList         bool            `name:"dlist" help:"List directories."`
	Index         []string        `default:"${index}" placeholder:"NAME" help:"File to serve for a directory (${default})."`
	ZMax          origin.Size     `name:"zmax" default:"${zmax}" placeholder:"SIZE" help:"Largest text file to compress; 0: none (${default})."`
	Watch         string          `placeholder:"DIR" help:"Directory whose files are taken, while they grow, as if uploaded."`
	Push          []string        `sep:"none" placeholder:"URL" help:"Server that the files go on to; may be repeated."`
	BlockIO       bool            `name:"blockio" help:"Wait for the slowest viewer, output or server instead of cutting it."`
	Ext           string          `placeholder:"EXT" help:"Type of a relay or source, by an extension."`
	MIME          string          `name:"mime" placeholder:"TYPE" help:"Type of a relay or source."`

	Relay  relayFlags  `embed:""`
	Source sourceFlags `embed:""`

	CacheControl cacheFlags `embed:""`
}

// cacheFlags are Cache-Control values by kind of answer; none sends no header.
type cacheFlags struct {
	All      string `name:"cache-control" placeholder:"VALUE" help:"Cache-Control of every file; none: no such header, no ETag, no Last-Modified."`
	Manifest string `name:"cache-control-manifest" placeholder:"VALUE" help:"Cache-Control of manifests; none: no header."`
	Segment  string `name:"cache-control-segment" placeholder:"VALUE" help:"The same, of segments."`
	Init     string `name:"cache-control-init" placeholder:"VALUE" help:"The same, of init segments."`
	Growing  string `name:"cache-control-growing" placeholder:"VALUE" help:"The same, of files still being uploaded."`
	Other    string `name:"cache-control-other" placeholder:"VALUE" help:"The same, of other files."`
	Future   string `name:"cache-control-future" placeholder:"VALUE" help:"The same, of 404 for files to come."`
	Evicted  string `name:"cache-control-evicted" placeholder:"VALUE" help:"The same, of 404 for files that were there."`
	Never    string `name:"cache-control-never" placeholder:"VALUE" help:"The same, of 404 for other names."`
}

// mount returns the mount that the flags make, but for its store.
func (f *mountFlags) mount() origin.Mount {
	m := origin.DefaultMount()
	m.Path, m.Read, m.WriteFrom = f.Path, f.Read, f.WriteFrom
	m.RU, m.RG, m.WU, m.WG, m.ClientCert = f.RU, f.RG, f.WU, f.WG, f.ClientCert
	m.MaxCacheSegs, m.MaxBytes, m.MaxUpload = f.MaxCacheSegs, f.MaxBytes, f.MaxS
	m.Policy, m.Sync = f.Policy, f.Sync
	m.HoldTimeout, m.UploadTimeout, m.ViewerTimeout, m.MaxLag = f.HoldTimeout, f.UploadTimeout, f.ViewerTimeout, f.MaxLag
	m.CORS, m.ConcatRanges, m.NoRange, m.CTE = f.CORS, f.ConcatRanges, f.NoRange, f.CTE
	m.List, m.Index, m.ZMax = f.DList, f.Index, f.ZMax
	m.Watch, m.BlockIO, m.Ext, m.MIME = f.Watch, f.BlockIO, f.Ext, f.MIME
	m.CacheControl = origin.CacheControl(f.CacheControl)
	for _, url := range f.Push {
		to := origin.DefaultPush()
		to.URL = url
		m.Push = append(m.Push, to)
	}
	return m
}
