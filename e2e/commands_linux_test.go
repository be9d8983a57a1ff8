package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// trial is how it is seen that a command of HTTPOUT.md does what its gpac line
// does. The scripts run in a folder with the files that the page names.
type trial struct {
	before string // what must be there first
	probe  string // exits with 0 when all is as it should be
}

// trials has each command line of httpout's documentation.
var trials = map[string]trial{
	"gpac httpout:rdirs=outcoming": {probe: `
		try curl -sf -o got http://localhost:8080/a.m4s
		cmp got outcoming/a.m4s
		gives 405 -T a.m4s http://localhost:8080/b.m4s`},
	"gpac httpout:wdir=incoming": {probe: `
		try gives 201 -T a.m4s http://localhost:8080/b.m4s
		cmp a.m4s incoming/b.m4s
		gives 405 http://localhost:8080/b.m4s`},
	"gpac httpout:rdirs=outcoming:wdir=incoming:port=8080": {probe: `
		try gives 201 -T a.m4s http://localhost:8080/b.m4s
		cmp a.m4s incoming/b.m4s
		gives 200 http://localhost:8080/a.m4s
		gives 404 http://localhost:8080/b.m4s`},
	"gpac httpout:rdirs=rules.ini": {
		before: `
		echo secret | headwater user add alice --users users.yaml
		printf '[outcoming]\nname=bar\nru=alice\n' >rules.ini`,
		probe: `
		try gives 401 http://localhost:8080/bar/a.m4s
		gives 200 -u alice:secret http://localhost:8080/bar/a.m4s`},
	"gpac -i MP3_SOURCE -o http://localhost/live.mp3 --hold": {probe: `
		listening
		curl -s --max-time 20 -o got http://localhost/live.mp3
		cmp got MP3_SOURCE # from its first byte on`},
	"gpac -i MP3_SOURCE reframer:rt=on -o http://localhost/live.mp3": {probe: `
		try curl -sf -o got http://localhost/live.mp3
		[ "$(stat -c %s got)" -lt "$(stat -c %s MP3_SOURCE)" ] # what nobody heard has gone
		ffmpeg -v error -xerror -f mp3 -i got -f null -`},
	"gpac -i source.mp3:#ice-Genre=CoolRock -o http://IP/live.mp3 --ice": {probe: `
		listening
		curl -s --max-time 1 -D head -o got http://127.0.0.1/live.mp3 || [ $? = 28 ]
		grep -i '^ice-Genre: CoolRock' head
		grep -i '^icy-pub: 1' head`},
	"gpac -i SOURCE reframer:rt=on -o http://localhost:8080/live.mpd --rdirs=temp --dmode=dynamic --cdur=0.1": {probe: `
		try curl -sf -o got http://localhost:8080/live.mpd
		curl -sf -D head -o seg http://localhost:8080/chunk-stream0-00002.m4s # held, and sent while it comes
		grep -i '^Transfer-Encoding: chunked' head
		try cmp seg temp/chunk-stream0-00002.m4s`},
	"gpac -i SOURCE -o http://targethost:8080/live.mpd:gpac:hmode=push": {
		before: `
		mkdir dash target
		headwater serve --rdirs target --write &
		listening`,
		probe: `
		try gives 200 http://localhost:8080/live.mpd
		curl -sf -D head -o seg http://localhost:8080/chunk-stream0-00002.m4s
		grep -i '^Transfer-Encoding: chunked' head
		try cmp seg dash/chunk-stream0-00002.m4s`},
	"gpac httpout:hmode=source vout aout": {
		before: `export SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy`,
		probe: `
		listening
		ffmpeg -v error -nostdin -i SOURCE -t 2 -c copy -f mpegts -method PUT http://localhost:8080/in.ts
		try grep 'Stream #0:0' log # ffplay's word on what it plays
		gives 405 http://localhost:8080/in.ts`},
	"gpac httpout:rdirs=outcoming:cert=cert.pem:pkey=key.pem": {probe: `
		try curl -sf --cacert cert.pem -o got https://127.0.0.1:8443/a.m4s
		cmp got outcoming/a.m4s`},
	"gpac -i dash.mpd dashin:forward=file:FID=D1 dashin:forward=segb:FID=D2 -o http://localhost:80/live.mpd:SID=D1:rdirs=dash -o http://localhost:80/live_rw.mpd:SID=D2:sigfrag": {probe: `
		listening
		for name in live live_rw; do
			ffmpeg -v error -nostdin -i SOURCE -t 3 -c copy -f dash -init_seg_name $name'-init-$RepresentationID$.m4s' \
				-media_seg_name $name'-$RepresentationID$-$Number$.m4s' -method PUT http://localhost:80/$name.mpd &
			packagers="${packagers-} $!"
		done
		wait $packagers
		for name in live live_rw; do
			curl -sf -o got http://localhost/$name.mpd
			grep "$name-init" got
			ffprobe -v error http://localhost/$name.mpd
		done`},
}

// prelude is what the scripts know.
const prelude = `set -eu
ip link set lo up
mount --make-rprivate /
mount --bind hosts /etc/hosts
try() { n=0; until "$@"; do n=$((n+1)); [ $n -lt 300 ] || { echo "in vain: $*"; exit 1; }; sleep 0.1; done; }
gives() { want=$1; shift; got=$(curl -s -o /dev/null -w '%{http_code}' "$@") || true; [ "$got" = "$want" ] || { echo "$*: $got, want $want"; return 1; }; }
listening() { try grep -q 'msg=listening url' log; }
exec 2>>log
`

// TestHTTPOutCommands runs the command lines of HTTPOUT.md as they are written,
// and sees that they do what httpout does with its own. Each has its own
// loopback, names and process numbers, so that no port of this machine matters.
func TestHTTPOutCommands(t *testing.T) {
	need(t, "ffmpeg", "ffplay", "ffprobe", "curl", "ip", "mount")
	blocks := commandBlocks(t)
	sandbox := newSandbox(t)
	for gpac, trial := range trials {
		t.Run(gpac, func(t *testing.T) {
			commands, ok := blocks[gpac]
			if !ok || len(commands) == 0 {
				t.Fatal("HTTPOUT.md does not have it, or nothing below it")
			}
			sandbox.run(t, commands, trial)
		})
	}
	for gpac := range blocks {
		if _, ok := trials[gpac]; !ok {
			t.Errorf("HTTPOUT.md has %q, and nothing here tries it", gpac)
		}
	}
}

// commandBlocks returns the commands of HTTPOUT.md by the gpac line above them.
func commandBlocks(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../HTTPOUT.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	gpac := ""
	for line := range strings.Lines(string(page)) {
		text, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		switch {
		case !indented:
			gpac = ""
		case strings.HasPrefix(text, "gpac "):
			gpac = text
		case gpac != "":
			blocks[gpac] = append(blocks[gpac], text)
		}
	}
	return blocks
}

// sandbox is the folder that each trial gets a copy of.
type sandbox struct{ dir string }

func newSandbox(t *testing.T) sandbox {
	s := sandbox{t.TempDir()}
	s.shell(t, nil, `mkdir outcoming incoming bin
		ln -s "$HEADWATER" bin/headwater
		head -c 100000 /dev/urandom >outcoming/a.m4s; cp outcoming/a.m4s .
		printf '127.0.0.1 localhost targethost\n' >hosts
		ffmpeg -v error -nostdin -f lavfi -i sine -t 4 -c:a libmp3lame -b:a 128k -write_xing 0 -id3v2_version 0 -f mp3 MP3_SOURCE
		ffmpeg -v error -nostdin -stream_loop 5 -f mp3 -i MP3_SOURCE -c copy source.mp3
		ffmpeg -v error -nostdin -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -t 20 -c:v libx264 -preset ultrafast -g 25 \
			-pix_fmt yuv420p -c:a aac -f mp4 SOURCE`)
	cert, key := selfSigned(t)
	s.shell(t, nil, `cp "$1" cert.pem; cp "$2" key.pem`, cert, key)
	return s
}

func (s sandbox) run(t *testing.T, commands []string, tr trial) {
	own := sandbox{t.TempDir()}
	s.shell(t, nil, `cp -a . "$1"`, own.dir)
	script := prelude + tr.before + "\n"
	for _, c := range commands {
		if strings.HasPrefix(c, "ffmpeg ") && strings.Contains(c, "http://") {
			script += "listening\n" // who uploads has waited for the server
		}
		script += c + " >>log </dev/null &\n"
	}
	own.shell(t, ownWorld(), script+tr.probe)
}

// shell runs a script in the folder.
func (s sandbox) shell(t *testing.T, attr *syscall.SysProcAttr, script string, args ...string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-euc", script, "sh"}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(plainEnv(), "HEADWATER="+binary, "PATH="+filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = attr
	cmd.WaitDelay = time.Second // others may still have its output
	kill := time.AfterFunc(2*patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // there may be none
		t.Fatalf("%v\n%s\nlog:\n%s", err, tail(string(out), 3000), tail(string(log), 5000))
	}
}

// ownWorld gives a program a network, mounts and processes of its own. What it
// started ends with it.
func ownWorld() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
	}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}
