package main

import (
	"errors"
	"fmt"

	"github.com/headwater-origin/headwater/origin"
	"github.com/headwater-origin/headwater/origin/relay"
)

// relayFlags make the mount one stream without end.
type relayFlags struct {
	Input       string      `short:"i" placeholder:"INPUT" help:"Relay this: - (standard input), FILE, fifo:PATH, tcp://HOST:PORT, udp://HOST:PORT, exec:COMMAND, or put."`
	Hold        bool        `help:"Read nothing of the input until there is a viewer."`
	Reopen      bool        `help:"Begin the input anew for viewers who come after its end."`
	MaxAsyncBuf origin.Size `default:"${max_async_buf}" placeholder:"SIZE" help:"Cut a viewer of a relay that is so far behind (${default})."`
	Rate        origin.Size `default:"${rate}" placeholder:"BITS" help:"Bits per second of a file that has no clock; 0: as fast as it is read (${default})."`
	Loop        bool        `help:"Begin a file again at its end."`
	Ice         bool        `help:"Send the icy and ice headers."`
	IceHeaders  []string    `placeholder:"NAME,VALUE" help:"Further such headers: name,value,name,value."`
	Title       string      `placeholder:"TEXT" help:"Title of the stream."`
	MetaInt     origin.Size `name:"metaint" default:"${metaint}" placeholder:"SIZE" help:"Bytes between two titles in the stream, for players that ask (${default})."`
}

// sourceFlags give uploads to an output.
type sourceFlags struct {
	HMode        string `name:"hmode" enum:"default,source," default:"" placeholder:"MODE" help:"source: uploads are not stored but given to the output that one of the following flags names (standard output)."`
	SourceExec   string `name:"source-exec" placeholder:"COMMAND" help:"A command; its standard input is the upload."`
	SourceFIFO   string `name:"source-fifo" placeholder:"PATH" help:"A named pipe."`
	SourceFile   string `name:"source-file" placeholder:"PATH" help:"A file, or with a / at its end a directory."`
	SourceStdout bool   `name:"source-stdout" help:"Standard output."`
	SourceURL    string `name:"source-url" placeholder:"URL" help:"Another server."`
}

// relay returns the relay that the flags make; without --input there is none.
func (f *relayFlags) relay() origin.Relay {
	return origin.Relay{
		Input: f.Input, Hold: f.Hold, Reopen: f.Reopen, MaxAsyncBuf: f.MaxAsyncBuf, Rate: f.Rate, Loop: f.Loop,
		Ice: f.Ice, IceHeaders: f.IceHeaders, Title: f.Title, MetaInt: f.MetaInt,
	}
}

// source returns the output that the flags name; used says whether uploads are
// to go to one at all.
func (f *sourceFlags) source(g given) (s origin.Source, used bool, err error) {
	s = origin.Source{FIFO: f.SourceFIFO, File: f.SourceFile, Stdout: f.SourceStdout, URL: f.SourceURL}
	if f.SourceExec != "" {
		if s.Exec, err = relay.SplitCommand(f.SourceExec); err != nil {
			return s, false, fmt.Errorf("--source-exec: %w", err)
		}
	}
	for _, name := range []string{"source-exec", "source-fifo", "source-file", "source-stdout", "source-url"} {
		used = used || g.has(name)
	}
	switch {
	case used && f.HMode == "default":
		return s, false, errors.New("--hmode: an output for uploads needs source")
	case !used && f.HMode == "source":
		s.Stdout, used = true, true
	}
	return s, used, nil
}

// notWith refuses flags that would have no effect beside the one named.
func notWith(g given, flag string, others ...string) error {
	for _, o := range others {
		if g.has(o) {
			return fmt.Errorf("--%s: has no effect with --%s", o, flag)
		}
	}
	return nil
}
