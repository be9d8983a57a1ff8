package origin

import "time"

// Relay says what stream without end a mount is, and how it is handed on.
type Relay struct {
	// Input is where it comes from: - (standard input), a file, fifo:PATH,
	// tcp://HOST:PORT, udp://HOST:PORT, exec:COMMAND, or put (a long upload to
	// the mount's path). Empty: the mount is not a relay.
	Input string `yaml:"input"`
	// Hold reads nothing of the input until there is a viewer.
	Hold bool `yaml:"hold"`
	// Reopen takes viewers, and begins the input anew, after it has ended.
	Reopen bool `yaml:"reopen"`
	// MaxAsyncBuf is how many bytes a viewer may lie behind before it is cut.
	MaxAsyncBuf Size `yaml:"max_async_buf"`
	// Rate paces a file that has no clock of its own, in bits per second.
	Rate Size `yaml:"rate"`
	// Loop begins a file again at its end.
	Loop bool `yaml:"loop"`
	// Ice sends the icy and ice headers; IceHeaders are further ones: name,
	// value, name, value.
	Ice        bool     `yaml:"ice"`
	IceHeaders []string `yaml:"ice_headers"`
	// Title is the stream's title, for the header and, every MetaInt bytes,
	// within the stream of players that ask (Icy-MetaData: 1).
	Title   string `yaml:"title"`
	MetaInt Size   `yaml:"metaint"`
}

// Source says where uploads go that are not stored. One field is set, or none.
type Source struct {
	Exec   []string `yaml:"exec"`   // a command; the upload is its standard input
	FIFO   string   `yaml:"fifo"`   // a named pipe
	File   string   `yaml:"file"`   // a file, or with a / at its end a directory
	Stdout bool     `yaml:"stdout"` // standard output
	URL    string   `yaml:"url"`    // another server
}

func (s *Source) used() bool {
	return len(s.Exec) > 0 || s.FIFO != "" || s.File != "" || s.Stdout || s.URL != ""
}

// PushTo is a server that files go on to.
type PushTo struct {
	// URL is where they go: their names are put behind it.
	URL string `yaml:"url"`
	// Post sends POST and not PUT.
	Post bool `yaml:"post"`
	// KA outlives failures: what failed is tried again while it matters.
	KA bool `yaml:"ka"`
	// Headers are name, value, name, value.
	Headers []string `yaml:"hdrs"`
	// UserAgent is the User-Agent; empty: the server's.
	UserAgent string `yaml:"user_agent"`
	// User logs in with the password in PasswordFile (Basic); BearerFile holds
	// a token.
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	BearerFile   string `yaml:"bearer_file"`
	// Cert and PKey are the client certificate, CA who signs the server's.
	Cert string `yaml:"cert"`
	PKey string `yaml:"pkey"`
	CA   string `yaml:"ca"`
	// Timeout ends an upload that makes no progress for so long.
	Timeout Duration `yaml:"timeout"`
	// MaxBehind is how many newer segments of a track make one stale.
	MaxBehind int `yaml:"max_behind"`
}

// DefaultPush returns the values of the keys that an entry of push does not give.
func DefaultPush() PushTo {
	return PushTo{KA: true, Timeout: Duration(10 * time.Second), MaxBehind: 3}
}
