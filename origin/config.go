package origin

import "time"

// GMem is the Store of a mount that keeps its files in memory.
const GMem = "gmem"

// AdminOff is the Admin address that means no admin listener.
const AdminOff = "off"

// Config is everything a Server can be told. Start from DefaultConfig,
// LoadConfig or ParseConfig, not from the zero value: a zero often means "off".
// The yaml tags are the keys of the configuration file.
type Config struct {
	// Listen are the host:port addresses for HTTP/1.1 and for HTTP/2 with prior
	// knowledge, without TLS. Port 0 takes any free port. The default does not
	// apply where a file gives listen_tls and no listen: TLS alone then.
	Listen []string `yaml:"listen"`
	// ListenTLS are the host:port addresses for HTTPS (HTTP/1.1 and HTTP/2).
	// They need Cert and PKey.
	ListenTLS []string `yaml:"listen_tls"`
	// Admin is the host:port of metrics and health, or AdminOff.
	Admin string `yaml:"admin"`
	// Cert is the PEM file with the certificate chain, PKey the one with its key.
	Cert string `yaml:"cert"`
	PKey string `yaml:"pkey"`
	// StateDir is where memory mounts keep what must survive a restart (init
	// segments). Empty means that nothing does.
	StateDir string `yaml:"state_dir"`
	// Memory bounds the bytes that all mounts hold in memory together. 0 means
	// half of what this process may have; MemoryBytes resolves it.
	Memory Size `yaml:"memory"`
	// Timeout closes a connection that carries no request for so long. 0 means
	// never.
	Timeout Duration `yaml:"timeout"`
	// MaxWaiters bounds the requests, over all mounts, that are held for a file
	// still to come. At least 1.
	MaxWaiters int `yaml:"max_waiters"`
	// ClientCA is the PEM file with the authorities whose client certificates
	// are taken; a Mount with ClientCert asks for one.
	ClientCA string `yaml:"client_ca"`
	// H3 serves HTTP/3 on the UDP ports of ListenTLS and announces it (Alt-Svc).
	H3 bool `yaml:"h3"`
	// Users is the file with the users and groups that ru, rg, wu and wg name.
	Users string `yaml:"users"`
	// UserAgent is the Server header, and the User-Agent of what this server
	// sends itself.
	UserAgent string `yaml:"user_agent"`
	// Close closes each HTTP/1.1 connection after its reply.
	Close bool `yaml:"close"`
	// MaxConns bounds the connections, MaxPeerConns those of one peer; 0 means
	// no bound. Beyond it a request is answered 503.
	MaxConns     int `yaml:"maxc"`
	MaxPeerConns int `yaml:"maxp"`
	// TrustedProxies are peers (as in WriteFrom) that speak for others: their
	// connections do not count for MaxPeerConns, the client that their
	// X-Forwarded-For names does, by its requests under way.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// BlockSize is the most that one write to a viewer of a growing or relayed
	// file takes. Socket buffers are the kernel's business.
	BlockSize Size `yaml:"block_size"`
	// ServerUTC adds Server-UTC: milliseconds since 1970 to each reply.
	ServerUTC bool `yaml:"sutc"`
	// ReqLog says which requests are logged, as httpout's option has it.
	ReqLog string `yaml:"reqlog"`
	// AccessLog is the file that gets one line of JSON for each request; - is
	// standard output.
	AccessLog string `yaml:"access_log"`
	// MaxClientErrors closes an HTTP/1.1 connection after so many refused
	// requests in a row; 0 means never.
	MaxClientErrors int `yaml:"max_client_errors"`
	// Headers are name, value, name, value: headers of every reply.
	Headers []string `yaml:"hdrs"`
	// JS is the script that sees each request first; empty: none.
	JS string `yaml:"js"`
	// Quit ends Run once all relay inputs are over and their viewers gone.
	Quit bool `yaml:"quit"`
	// Mounts are what is served where. At least one.
	Mounts []Mount `yaml:"mounts"`
}

// Mount is one path prefix, what is behind it, and its policy. A key that the
// configuration file does not give has the value that DefaultMount has.
type Mount struct {
	// Path is the URL path below which the mount is seen: absolute and clean.
	Path string `yaml:"path"`
	// Store is GMem, or the directory whose files are served.
	Store string `yaml:"store"`
	// Read accepts GET and HEAD. A mount that is only written may stand at the
	// path of one that is only read, and takes the uploads below its path that
	// no other mount takes.
	Read bool `yaml:"read"`
	// Write accepts PUT, POST and DELETE.
	Write bool `yaml:"write"`
	// WriteFrom are the peers that may write: addresses, prefixes (CIDR),
	// "loopback" or "any". ParsePeers reads them. None means loopback, or any
	// where WU, WG or ClientCert say who may.
	WriteFrom []string `yaml:"write_from"`
	// RU and RG are the users and groups that may read, WU and WG those that
	// may write; $ALL is everybody, $NONE nobody. None: everybody may read, and
	// WriteFrom alone says who may write.
	RU []string `yaml:"ru"`
	RG []string `yaml:"rg"`
	WU []string `yaml:"wu"`
	WG []string `yaml:"wg"`
	// ClientCert takes uploads only with a client certificate of ClientCA.
	ClientCert bool `yaml:"client_cert"`

	// MaxCacheSegs bounds the complete segments of a track; segstore.Options
	// tells how.
	MaxCacheSegs int `yaml:"max_cache_segs"`
	// MaxBytes bounds the memory of this mount; 0 means no bound of its own.
	MaxBytes Size `yaml:"max_bytes"`
	// MaxUpload is the largest upload; 0 means no limit.
	MaxUpload Size `yaml:"maxs"`
	// Policy says which of two uploads of one name is kept.
	Policy Policy `yaml:"policy"`
	// Sync makes a file durable (fsync) before its upload is answered. It
	// matters to directories only.
	Sync bool `yaml:"sync"`

	// HoldTimeout is how long a GET for the next file of a living track waits
	// for it; 0 means not at all.
	HoldTimeout Duration `yaml:"hold_timeout"`
	// UploadTimeout cuts an upload that sends nothing for so long. More than 0.
	UploadTimeout Duration `yaml:"upload_timeout"`
	// ViewerTimeout cuts a viewer that does not take one batch of bytes within
	// so long. More than 0.
	ViewerTimeout Duration `yaml:"viewer_timeout"`
	// MaxLag cuts a viewer of a growing file that is so many bytes behind its
	// end; 0 means never.
	MaxLag Size `yaml:"max_lag"`

	// CORS says when responses allow other origins to read them. The default is
	// on, unlike httpout's: auto needs Vary: Origin, and CDNs keep such replies
	// badly or not at all.
	CORS CORS `yaml:"cors"`
	// CacheControl are the Cache-Control headers by kind of answer.
	CacheControl CacheControl `yaml:"cache_control"`
	// ConcatRanges answers several ranges with their bytes one after the other,
	// as httpout does, and not with multipart/byteranges (RFC 9110, 14.6).
	ConcatRanges bool `yaml:"concat_ranges"`
	// NoRange ignores Range on GET.
	NoRange bool `yaml:"norange"`
	// CTE sends files while they grow (chunked transfer). Without it a reply
	// waits until the file is whole.
	CTE bool `yaml:"cte"`
	// List answers GET of a directory with what is in it; Index are the files
	// that are served in its place, the first that is there.
	List  bool     `yaml:"dlist"`
	Index []string `yaml:"index"`
	// ZMax is the largest text file that is compressed; 0 means none.
	ZMax Size `yaml:"zmax"`
	// Headers are as Config.Headers, of this mount.
	Headers []string `yaml:"hdrs"`

	// Watch is a directory whose files are taken, while they grow, as if they
	// had been uploaded.
	Watch string `yaml:"watch"`
	// Push are the servers that the files of this mount go on to.
	Push []PushTo `yaml:"push"`
	// Relay, with an Input, makes the mount one stream without end.
	Relay Relay `yaml:"relay"`
	// Source, with an output, gives each upload to it and stores nothing.
	Source Source `yaml:"source"`
	// BlockIO lets an input, an upload or a push wait for the slowest that
	// takes it, instead of cutting that one.
	BlockIO bool `yaml:"blockio"`
	// Ext and MIME override what a relay's or a source's name and headers say
	// of its type.
	Ext  string `yaml:"ext"`
	MIME string `yaml:"mime"`
}

// NoCacheControl is the value of a CacheControl field that sends no header.
const NoCacheControl = "none"

// CacheControl are Cache-Control header values. Empty means the built-in value
// for that kind, NoCacheControl means no header.
type CacheControl struct {
	// All is for every kind of file, in place of the fields below;
	// NoCacheControl there leaves out ETag and Last-Modified, too. In a file it
	// is the text that cache_control may be.
	All      string `yaml:"-"`
	Manifest string `yaml:"manifest"` // complete manifests
	Segment  string `yaml:"segment"`  // complete segments and parts
	Init     string `yaml:"init"`     // init segments
	Growing  string `yaml:"growing"`  // any file still being uploaded
	Other    string `yaml:"other"`    // complete files of any other kind
	Future   string `yaml:"future"`   // 404: a later file of a known track
	Evicted  string `yaml:"evicted"`  // 404: an earlier file of a known track
	Never    string `yaml:"never"`    // 404: no such file
}

// DefaultConfig returns the configuration that holds where nothing is given: one
// mount at / that keeps what this machine uploads in memory.
func DefaultConfig() Config {
	m := DefaultMount()
	m.Write = true
	return Config{
		Listen:     []string{":8080"},
		Admin:      "127.0.0.1:9090",
		Timeout:    Duration(30 * time.Second),
		MaxWaiters: 10_000,
		UserAgent:  "Headwater",
		BlockSize:  256 << 10,

		MaxClientErrors: 20,

		Mounts: []Mount{m},
	}
}

// DefaultMount returns the values of the keys that a mount does not give. It is
// read-only.
func DefaultMount() Mount {
	return Mount{
		Path:          "/",
		Store:         GMem,
		Read:          true,
		MaxCacheSegs:  5,
		MaxUpload:     50_000_000,
		HoldTimeout:   Duration(10 * time.Second),
		UploadTimeout: Duration(10 * time.Second),
		ViewerTimeout: Duration(10 * time.Second),
		MaxLag:        16_000_000,
		CORS:          CORSOn,
		CTE:           true,
		Index:         []string{"index.html"},
		ZMax:          50_000,
		Relay:         Relay{MaxAsyncBuf: 100_000, MetaInt: 16_000},
	}
}
