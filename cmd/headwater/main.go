// Command headwater is a low-latency origin server for DASH and HLS.
//
//	headwater serve [--config FILE | flags]   run an origin
//	headwater demo                            run one, and send a live channel to it
//	headwater push SRC URL...                 send a file or a stream to servers
//	headwater user, headwater group           manage who may read and write
//	headwater version
//
// The exit code is 0 after a clean stop, 1 when something failed while running,
// and 2 when the command line or the configuration is wrong: nothing was
// started then. Either failure is one line on standard error. SIGINT and
// SIGTERM stop gracefully; a second one ends the program at once.
//
// There is no logic here: flags and file become an origin.Config, signals
// become the end of a context.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/headwater-origin/headwater/origin/script"
)

func main() {
	script.HostMain() // a script runs in a process of its own: this program, too
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run an origin."`
	Demo    demoCmd    `cmd:"" help:"Run an origin and send a live low-latency channel to it."`
	Push    pushCmd    `cmd:"" help:"Send a file, or a stream without end, to one or several servers."`
	User    userCmd    `cmd:"" help:"Manage the users of a users file."`
	Group   groupCmd   `cmd:"" help:"Manage the groups of a users file."`
	Version versionCmd `cmd:"" help:"Print the version."`

	LogFormat string `enum:"text,json" default:"text" help:"Form of the log on standard error: ${enum} (${default})."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"Least level that is logged: ${enum} (${default}; demo: error)."`
}

// env is what a command works with.
type env struct {
	ctx    context.Context // ends with the first signal
	stdin  io.Reader       // nil: the process's
	stdout io.Writer
	log    *slog.Logger
	given  given
}

// usageError marks an error as the user's: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the whole program. It returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-signals:
		case <-ctx.Done():
		}
		// First of all, so that once anything is seen to stop, the next signal
		// does what it does by default.
		signal.Stop(signals)
		stop()
	}()
	defer func() { stop(); <-ended }()
	return runContext(ctx, args, stdout, stderr)
}

// runContext is run with the end of ctx in place of a signal.
func runContext(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	k, done, err := parse(&c, args, stdout, stderr)
	if err == nil && !done {
		err = k.Run(newEnv(ctx, &c, k, stdout, stderr))
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "headwater:", oneLine(err))
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// noValue is how kong puts it when a flag at the end has no value.
var noValue = regexp.MustCompile(`expected (\S+ )*value but got "EOL" \(<EOL>\)`)

// parse reads the command line. done means that help was printed and there is
// nothing left to do.
func parse(c *cli, args []string, stdout, stderr io.Writer) (k *kong.Context, done bool, err error) {
	parser, err := kong.New(c,
		kong.Name("headwater"),
		kong.Description("A low-latency origin server for DASH and HLS."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { done = true }),
		kong.ExplicitGroups(groups),
		flagDefaults(),
	)
	if err != nil {
		return nil, false, err
	}
	k, err = parser.Parse(plainFlags(args))
	if err != nil && !done {
		return nil, false, usageError{errors.New(noValue.ReplaceAllString(err.Error(), "has no value"))}
	}
	return k, done, nil
}

// negative is a number that kong would take for a flag.
var negative = regexp.MustCompile(`^-\d`)

// plainFlags turns --max_cache_segs, as httpout has it, into --max-cache-segs,
// and --flag -5 into --flag=-5.
func plainFlags(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if !strings.HasPrefix(arg, "--") {
			out = append(out, arg)
			continue
		}
		name, value, hasValue := strings.Cut(arg, "=")
		if !hasValue && i+1 < len(args) && negative.MatchString(args[i+1]) {
			i++
			value, hasValue = args[i], true
		}
		name = strings.ReplaceAll(name, "_", "-")
		if hasValue {
			name += "=" + value
		}
		out = append(out, name)
	}
	return out
}

func newEnv(ctx context.Context, c *cli, k *kong.Context, stdout, stderr io.Writer) env {
	e := env{ctx: ctx, stdout: stdout, given: givenFlags(k)}
	if k.Command() == "demo" && !e.given.has("log-level") {
		c.LogLevel = "error" // the status line tells the rest
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // the flag takes no other texts
	opts := &slog.HandlerOptions{Level: level}
	e.log = slog.New(slog.NewTextHandler(stderr, opts))
	if c.LogFormat == "json" {
		e.log = slog.New(slog.NewJSONHandler(stderr, opts))
	}
	return e
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
